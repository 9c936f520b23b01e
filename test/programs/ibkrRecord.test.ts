/** Bars and trades of a simulated gateway, recorded by a process that is killed in the middle of it, and by the next one. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isoNanos } from "../../src/domain/records/instantText.ts"
import { tradeOf } from "../../src/layers/adapters/ibkr/tradeOf.ts"
import * as GatewaySimulator from "../../src/layers/testing/gateway/GatewaySimulator.ts"
import { watched } from "./serving.ts"
import { json, ok, scratch, type Where } from "./tapestry.ts"

const second = 1_000
// A Tuesday on which New York has been open for half an hour.
const open = Date.UTC(2024, 2, 5, 15)

// biome-ignore lint/suspicious/noExplicitAny: documents of the command, looked at by the test
const linesOf = (text: string): ReadonlyArray<any> =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))

interface Interval {
  readonly start: string
  readonly end: string
  readonly status: string
}

/** Waits until `holds`, at most a minute: bars are of five seconds. */
const until = async (holds: () => boolean, what: () => string) => {
  for (let turn = 0; turn < 1_200; turn++) {
    if (holds()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.fail(`did not happen in a minute ${what()}`)
}

const recorded = async (where: Where, bars: number, signal: "SIGKILL" | "SIGTERM") => {
  const streams = ["--symbols", "SPY", "--kinds", "trades,bars", "--timeframes", "5s,10s"]
  const recording = watched(where, "record", ...streams, "--vendor", "ibkr", "--segment", "1s", "--json")
  const rows = () =>
    linesOf(recording.stdout())
      .filter(({ event }) => event === "Progress")
      .at(-1)
      ?.kinds.find(({ kind }: { kind: string }) => kind === "bars")?.rows ?? 0
  await until(() => rows() >= bars, recording.stderr)
  recording.child.kill(signal)
  await recording.end
  return linesOf(recording.stdout())
}

const stored = (where: Where) => ({
  bars: linesOf(ok(where, "dump", "bars", "-", "--vendor", "ibkr", "--format", "ndjson")),
  trades: linesOf(ok(where, "dump", "trades", "-", "--vendor", "ibkr", "--format", "ndjson"))
})

const millis = { "5s": 5 * second, "10s": 10 * second }

describe("a recording of a gateway that is killed", () => {
  it.live(
    "has of both runs what the market did, tells what was lost in between, and is rebuilt from its segments",
    () =>
      Effect.gen(function* () {
        const gateway = yield* GatewaySimulator.make({ start: open, clock: { speed: 1 } })
        const where = { cwd: scratch("ibkr-record"), env: { IB_PORT: String(gateway.port) } }
        const killed = yield* Effect.promise(() => recorded(where, 4, "SIGKILL"))
        const next = yield* Effect.promise(() => recorded(where, 4, "SIGTERM"))
        const until = gateway.now()

        const lost = next.filter(({ event }) => event === "Unrepairable")
        assert.deepStrictEqual(lost.map(({ kind, timeframe = "-" }) => `${kind} ${timeframe}`).sort(), [
          "bars 10s",
          "bars 5s",
          "trades -"
        ])
        for (const { why } of lost) assert.include(why, `session ${killed[0].session}) broke off`)

        const { bars, trades } = stored(where)
        for (const timeframe of ["5s", "10s"] as const) {
          const dataset = timeframe === "5s" ? "recorded" : "built"
          const series = ["SPY", "--vendor", "ibkr", "--timeframe", timeframe, "--dataset", dataset]
          const range = ["--from", new Date(open).toISOString(), "--to", new Date(until).toISOString()]
          const { coverage } = json(where, 0, "coverage", ...series, ...range)
          const intervals: ReadonlyArray<Interval> = coverage
          const covered = intervals.filter(({ status }) => status === "Covered")
          // Two recordings, and a stretch between them of which none has all.
          const between = intervals.slice(intervals.findIndex(({ status }) => status === "Covered"))
          const hole = between.findIndex(({ status }) => status !== "Covered")
          assert.isAbove(hole, 0, JSON.stringify(coverage))
          assert.isTrue(
            between.slice(hole).some(({ status }) => status === "Covered"),
            JSON.stringify(coverage)
          )
          const truth = covered.flatMap(({ end, start }) =>
            gateway
              .bars("SPY", Date.parse(start), Date.parse(end), millis[timeframe])
              .filter(({ at }) => at >= Date.parse(start))
          )
          assert.isAtLeast(truth.length, timeframe === "5s" ? 4 : 2)
          const of = bars.filter((bar) => bar.timeframe === timeframe)
          assert.deepStrictEqual([...new Set(of.map((bar) => `${bar.dataset} ${bar.adjustment}`))], [`${dataset} raw`])
          for (const { at, close, high, low, open: first, volume } of truth) {
            const bar = of.find(({ ts }) => Date.parse(ts) === at)
            assert.deepInclude(
              bar,
              { open: first, high, low, close, volume },
              `${timeframe} ${new Date(at).toISOString()}`
            )
          }
        }

        const gap = lost.find(({ kind }) => kind === "trades")
        const [from, to] = [Date.parse(gap.from), Date.parse(gap.to)]
        const first = Date.parse(trades[0].ts) + 2 * second
        const last = Date.parse(trades.at(-1).ts) - 2 * second
        const truth = gateway
          .truth("SPY", first, last)
          .trades.filter(({ at }) => at < from - second || at >= to + second)
          .map(({ at, conditions, exchange, price, size }) => {
            const trade = tradeOf(Math.floor(at / second), price, size, exchange, conditions)
            return `${isoNanos(trade?.tsNs ?? 0n)} ${price} ${size}`
          })
        const had = new Map<string, number>()
        for (const { price, size, ts } of trades) {
          const text = `${ts} ${price} ${size}`
          had.set(text, (had.get(text) ?? 0) + 1)
        }
        assert.isAbove(truth.length, 10)
        for (const text of truth) {
          assert.isAbove(had.get(text) ?? 0, 0, `the trade ${text} is not stored`)
          had.set(text, (had.get(text) ?? 0) - 1)
        }

        for (const end of ["", "-wal", "-shm"]) {
          rmSync(join(where.cwd, ".tapestry", `market.sqlite${end}`), { force: true })
        }
        ok(where, "rebuild")
        assert.deepStrictEqual(stored(where), { bars, trades })
        assert.deepStrictEqual(json(where, 0, "rebuild", "--check").skipped, [])
      }).pipe(Effect.scoped),
    180_000
  )
})
