/**
 * What an app that embeds Tapestry needs to test with it: a seeded vendor on a deterministic market, servers that stand for Yahoo
 * and for a gateway of Interactive Brokers, and fault points.
 */
export * as FaultPoint from "./layers/FaultPoint.ts"
export * as GatewaySimulator from "./layers/testing/gateway/GatewaySimulator.ts"
export * as ModelVendor from "./layers/testing/ModelVendor.ts"
export * as YahooServer from "./layers/testing/yahoo/YahooServer.ts"
