/**
 * A process of its own that reserves as fast as it is let. Arguments: the file, the limit, the span, how many. Prints the
 * monotonic clock in milliseconds, which all processes of a machine share, after each reservation.
 */
import { Effect } from "effect"
import * as QuotaSqlite from "../../../src/layers/quota/QuotaSqlite.ts"
import { Quota } from "../../../src/services/Quota.ts"

const [filename = "", limit = "", span = "", count = ""] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const quota = yield* Quota
  const window = { name: "all", limit: Number(limit), span: Number(span), key: null }
  yield* quota.configure("acme", { windows: [window], maxInFlight: null })
  const one = Effect.scoped(quota.reserve("acme", { weight: 1, keys: {}, priority: 0 })).pipe(
    Effect.andThen(Effect.sync(() => process.stdout.write(`${Number(process.hrtime.bigint()) / 1e6}\n`)))
  )
  yield* Effect.forEach(Array.from({ length: Number(count) }), () => one, { concurrency: 8, discard: true })
})

Effect.runFork(Effect.provide(program, QuotaSqlite.layer({ filename })))
