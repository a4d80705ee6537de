/** A SASL exchange which SaslHandshake begins and SaslAuthenticate continues. */
export interface SaslExchange {
  /**
   * @param token what the client sent
   * @returns what to answer, and the user once the exchange has proven it
   * @throws KafkaError SASL_AUTHENTICATION_FAILED
   */
  next(token: Buffer): { readonly answer: Buffer; readonly user?: string };
}
