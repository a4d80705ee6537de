/** What kafkajs does not export; kafkajs.ts types what is taken of it. */
declare module 'kafkajs/src/*' {
  const part: unknown;
  export default part;
}
