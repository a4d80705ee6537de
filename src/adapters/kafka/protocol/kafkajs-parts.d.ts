/** The modules that kafkajs does not export; kafkajs.ts types the parts that are used. */
declare module 'kafkajs/src/*' {
  const part: unknown;
  export default part;
}
