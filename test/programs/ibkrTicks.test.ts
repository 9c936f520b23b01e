/** Trades of the past of a simulated gateway by the command line: paged, within IB's pacing, and not asked for again. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isoNanos } from "../../src/domain/records/instantText.ts"
import { tradeOf } from "../../src/layers/adapters/ibkr/tradeOf.ts"
import * as GatewaySimulator from "../../src/layers/testing/gateway/GatewaySimulator.ts"
import { ended, json, scratch, start, type Where } from "./tapestry.ts"

const second = 1_000
const minute = 60 * second
// A Tuesday on which New York has been open for half an hour.
const open = Date.UTC(2024, 2, 5, 15)

const ran = (where: Where, ...args: ReadonlyArray<string>) => Effect.promise(() => ended(start(where, ...args)))

/** What of a trade tells it from others, with how often it is there. */
const counted = (rows: ReadonlyArray<{ readonly [field: string]: unknown }>) =>
  rows.map(({ conditions, price, size, ts, venue }) => JSON.stringify([ts, price, size, venue, conditions])).toSorted()

describe("trades of the past of a gateway", () => {
  it.live("are the market's truth, page by page; what is stored is not asked for again, and is rebuilt", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make({ start: open + 60 * minute })
      const where = { cwd: scratch("ibkr-ticks"), env: { IB_PORT: String(gateway.port) } }
      const asked = (from: number, to: number) =>
        ran(where, "ticks", "SPY", "--from", new Date(from).toISOString(), "--to", new Date(to).toISOString())
      const rowsOf = (text: string) =>
        text
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line))
      const truth = (from: number, to: number) =>
        gateway.truth("SPY", from, to).trades.map(({ at, conditions, exchange, price, size }) => {
          const { tsNs, ...trade } = tradeOf(Math.floor(at / second), price, size, exchange, conditions) ?? { tsNs: 0n }
          return { ts: isoNanos(tsNs), ...trade }
        })
      const requests = () =>
        json(where, 0, "archive", "requests", "--limit", "100").requests.filter(
          ({ kind, outcome }: { kind: string; outcome: string }) => kind === "ticks" && outcome === "fetched"
        ).length
      const [from, to] = [open, open + 50 * minute]
      const first = yield* asked(from, to)
      assert.strictEqual(first.code, 0, first.stderr)
      assert.isAbove(truth(from, to).length, 1_000)
      assert.deepStrictEqual(counted(rowsOf(first.stdout)), counted(truth(from, to)))
      const pages = requests()
      assert.isAtLeast(pages, 2)
      const again = yield* asked(from + minute, to - minute)
      assert.deepStrictEqual(counted(rowsOf(again.stdout)), counted(truth(from + minute, to - minute)))
      assert.strictEqual(requests(), pages)
      const wider = yield* asked(from, to + minute)
      assert.deepStrictEqual(counted(rowsOf(wider.stdout)), counted(truth(from, to + minute)))
      assert.strictEqual(requests(), pages + 1)
      const bidsAndAsks = yield* ran(
        where,
        ...["ticks", "SPY", "--kind", "quotes", "--from", new Date(from).toISOString()],
        ...["--to", new Date(from + 10 * minute).toISOString()]
      )
      assert.strictEqual(bidsAndAsks.code, 0, bidsAndAsks.stderr)
      const told = (rows: ReadonlyArray<{ readonly [field: string]: unknown }>) =>
        rows.map(({ ask, askSize, bid, bidSize }) => JSON.stringify([bid, bidSize, ask, askSize])).toSorted()
      const book = gateway.truth("SPY", from, from + 10 * minute).quotes
      assert.deepStrictEqual(told(rowsOf(bidsAndAsks.stdout)), told(book.map((quote) => ({ ...quote }))))
      const { compared, problems } = json(where, 0, "rebuild", "--check").imported
      assert.deepStrictEqual([compared.length, problems], [2, []])
    }).pipe(Effect.scoped)
  )
})
