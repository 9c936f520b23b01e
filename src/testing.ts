/** What an app that embeds Tapestry needs to test with it: a seeded vendor on a deterministic market, and fault points. */
export * as FaultPoint from "./layers/FaultPoint.ts"
export * as ModelVendor from "./layers/testing/ModelVendor.ts"
export * as YahooServer from "./layers/testing/yahoo/YahooServer.ts"
