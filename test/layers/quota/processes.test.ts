/** Real processes on one file: killed ones have paid for what they were given, and live ones share the windows. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as QuotaSqlite from "../../../src/layers/quota/QuotaSqlite.ts"
import { openQuota, policy, window } from "../../services/quotaSupport.ts"
import { temporaryFile } from "./support.ts"

const worker = fileURLToPath(new URL("./worker.ts", import.meta.url))

/** Runs a worker and gives the instants that it printed; kills it after `killAfter` lines. */
const run = (filename: string, limit: number, span: number, count: number, killAfter: number) =>
  Effect.callback<ReadonlyArray<number>>((resume) => {
    const child = spawn(process.execPath, [worker, filename, String(limit), String(span), String(count)], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let text = ""
    child.stdout.on("data", (chunk) => {
      text += String(chunk)
      if (text.split("\n").length > killAfter) child.kill("SIGKILL")
    })
    child.on("close", () => resume(Effect.succeed(text.split("\n").filter(Boolean).map(Number))))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("Quota in several processes", () => {
  it.live("what a killed process was given is spent", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      let given = 0
      for (const killAfter of [1, 7, 30, 100, 333]) {
        given += (yield* run(filename, 1_000_000, 3_600_000, 100_000, killAfter)).length
        const used = yield* Effect.scoped(
          Effect.gen(function* () {
            const quota = yield* openQuota(QuotaSqlite.layer({ filename }))
            yield* quota.configure("acme", policy([window(1_000_000, 3_600_000)]))
            return (yield* quota.use("acme")).windows[0]?.used ?? 0
          })
        )
        assert.isAtLeast(used, given)
      }
      assert.isAtLeast(given, 471)
    })
  )

  it.live("two processes on one file never exceed a window together", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      yield* Effect.scoped(openQuota(QuotaSqlite.layer({ filename })))
      const limit = 10
      const span = 150
      const runs = yield* Effect.all(
        [1, 2].map(() => run(filename, limit, span, 60, Number.POSITIVE_INFINITY)),
        { concurrency: 2 }
      )
      const starts = runs.flat().toSorted((a, b) => a - b)
      assert.deepStrictEqual(
        runs.map((started) => started.length),
        [60, 60]
      )
      const first = Math.min(...runs.map((started) => Math.max(...started)))
      const second = Math.max(...runs.map((started) => Math.min(...started)))
      assert.isAbove(first, second, "the processes did not run at the same time")
      // A line is printed after the entry was logged, so its instant may be late by what the process was held up.
      const tolerance = 40
      for (let i = limit; i < starts.length; i++) {
        assert.isAtLeast((starts[i] ?? 0) - (starts[i - limit] ?? 0), span - tolerance)
      }
      const rate = (starts.length - limit) / ((starts.at(-1) ?? 0) - (starts[0] ?? 0))
      console.log(
        `two processes: ${(rate * 1_000).toFixed(1)} a second of ${((limit / span) * 1_000).toFixed(1)} allowed`
      )
    })
  )
})
