/** Run as another user by MarketStoreSqlite.test.ts: opens the database given, both ways, and prints what came of it. */
import { Effect, Stream } from "effect"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"

const attempt = (readonly: boolean) =>
  Effect.gen(function* () {
    const store = yield* MarketStore
    const [summary] = yield* store.series
    if (summary === undefined) return "no series"
    const range = { start: 0, end: Number.MAX_SAFE_INTEGER }
    return `${yield* Stream.runCount(store.bars(summary.series, range))} rows`
  }).pipe(
    Effect.provide(MarketStoreSqlite.layer({ filename: process.argv[2] ?? "", readonly })),
    Effect.catch((error) => Effect.succeed(error.reason._tag))
  )

console.log(JSON.stringify(await Effect.runPromise(Effect.all([attempt(false), attempt(true)]))))
