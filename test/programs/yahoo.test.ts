/** The command line with Yahoo as a vendor: a configuration, a socket, and nothing else between. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as YahooServer from "../../src/layers/testing/yahoo/YahooServer.ts"
import { ended, type Run, scratch, start, type Where } from "./tapestry.ts"

/** The server lives in this process, so the command must not block it. */
const run = (where: Where, ...args: ReadonlyArray<string>): Effect.Effect<Run> =>
  Effect.promise(() => ended(start(where, ...args)))

const configured = (host: string): Where => {
  const cwd = scratch("yahoo")
  const lines = ["vendors:", "  yahoo:", "    adapter: yahoo", `    host: ${host}`, "    rest: 10ms", "    timeout: 5s"]
  writeFileSync(join(cwd, "tapestry.yaml"), `${lines.join("\n")}\n`)
  return { cwd }
}

const september = ["--from", "2020-08-24", "--to", "2020-09-12"]

describe("tapestry with Yahoo", () => {
  it.live(
    "prints the bars of a range, keeps them, and explains a row down to its place in the chart",
    () =>
      Effect.gen(function* () {
        const server = yield* YahooServer.make({ faults: YahooServer.strangeBodies })
        const where = configured(server.host)
        const daily = ["AAPL", "--vendor", "yahoo", "--timeframe", "1d"]
        const first = yield* run(where, "bars", ...daily, ...september, "--format", "csv")
        assert.strictEqual(first.code, 0, first.stderr)
        const rows = first.stdout.trimEnd().split("\n").slice(1)
        assert.strictEqual(rows.length, 14)
        const key = {
          vendor: "yahoo",
          dataset: null,
          symbol: "AAPL",
          kind: "bar",
          timeframe: "1d",
          price: "trade",
          session: "regular",
          currency: null,
          adjustment: "splits"
        } as const
        const range = { start: Date.parse("2020-08-24"), end: Date.parse("2020-09-12") }
        const expected = server.expected(key, range)
        for (const [index, row] of rows.entries()) {
          const bar = expected[index]
          assert.include(row, `${bar?.open},${bar?.high},${bar?.low},${bar?.close},${bar?.volume}`)
        }
        assert.strictEqual(server.log().length, 1)
        const second = yield* run(where, "bars", ...daily, ...september, "--format", "csv")
        assert.strictEqual(second.stdout, first.stdout)
        assert.strictEqual(server.log().length, 1)
        const explained = yield* run(where, "explain", ...daily, "--at", "2020-08-31")
        assert.strictEqual(explained.code, 0, explained.stderr)
        assert.match(explained.stdout, /chart\/result\/0\/timestamp\/\d+/)
        assert.match(explained.stdout, /HTTP 200|200/)
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "says what Yahoo said: an unknown symbol, a wrong currency, a page instead of a chart",
    () =>
      Effect.gen(function* () {
        const server = yield* YahooServer.make()
        const where = configured(server.host)
        const bars = (symbol: string, ...more: ReadonlyArray<string>) =>
          run(where, "bars", symbol, "--vendor", "yahoo", "--timeframe", "1d", ...september, ...more)
        const unknown = yield* bars("NOSUCH")
        assert.strictEqual(unknown.code, 1, unknown.stdout)
        assert.match(unknown.stderr, /does not know NOSUCH/)
        const pounds = yield* bars("OCDO.L", "--currency", "GBP")
        assert.strictEqual(pounds.code, 1, pounds.stdout)
        assert.match(pounds.stderr, /quoted in GBp, hundredths of GBP, not in GBP/)
        assert.strictEqual((yield* bars("OCDO.L", "--currency", "GBp")).code, 0)
        server.setFaults({ always: "page" })
        const page = yield* bars("MSFT")
        assert.strictEqual(page.code, 1, page.stdout)
        assert.match(page.stderr, /Will be right back/)
        server.setFaults({ always: null })
        assert.strictEqual((yield* bars("MSFT")).code, 0)
      }).pipe(Effect.scoped),
    60_000
  )
})
