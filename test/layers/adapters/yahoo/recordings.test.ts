/**
 * Every chart that was recorded at Yahoo (MIT, see the manifest), against a second reading that shares no code with the decoder:
 * JSON.parse, Intl for the dates, and the float that a decimal must round to.
 */
import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { refusalOf } from "../../../../src/layers/adapters/yahoo/chartError.ts"
import { isChartTimeframe } from "../../../../src/layers/adapters/yahoo/intervals.ts"
import { decodeBody, faultOf } from "./support.ts"

const data = fileURLToPath(new URL("../../../../../shared/data/", import.meta.url))
const present = existsSync(`${data}manifest.json`)
if (!present) console.log("skipped: the recorded Yahoo charts (their data is not beside the project)")

interface Entry {
  readonly file: string
  readonly sha256: string
  readonly url?: string
  readonly status?: number
}
const manifest: ReadonlyArray<Entry> = present ? JSON.parse(readFileSync(`${data}manifest.json`, "utf8")) : []
const charts = manifest.filter(({ url }) => url?.includes("/v8/finance/chart/") === true)

const read = ({ file }: Entry) => JSON.parse(readFileSync(`${data}${file}`, "utf8")).response

const question = ({ url }: Entry) => {
  const asked = new URL(url ?? "")
  const parameter = (name: string) => asked.searchParams.get(name) ?? ""
  const timeframe = parameter("interval")
  if (timeframe !== "1d" && timeframe !== "1h" && timeframe !== "1m") throw new Error(`interval ${timeframe}`)
  assert.isTrue(isChartTimeframe(timeframe))
  return {
    symbol: decodeURIComponent(asked.pathname.split("/").at(-1) ?? ""),
    timeframe,
    range: { start: Number(parameter("period1")) * 1000, end: Number(parameter("period2")) * 1000 }
  } as const
}

const dateIn = (zone: string, seconds: number): number =>
  Date.parse(new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(seconds * 1000))

const made = (file: string) => file.includes("notimestamp")

describe.skipIf(!present)("recorded charts", () => {
  it("are all of those in the manifest", () => {
    assert.strictEqual(charts.length, 21)
    for (const entry of charts) {
      const sha256 = createHash("sha256")
        .update(readFileSync(`${data}${entry.file}`))
        .digest("hex")
      assert.strictEqual(sha256, entry.sha256, entry.file)
      assert.strictEqual(read(entry).status, entry.status, entry.file)
    }
  })

  for (const entry of charts.filter(({ file }) => !made(file))) {
    it.effect(`decodes ${entry.file.split("/").at(-1)}`, () =>
      Effect.gen(function* () {
        const { bodyJson, headers, status } = read(entry)
        const body = new TextEncoder().encode(JSON.stringify(bodyJson))
        assert.isNull(refusalOf({ status, headers, body }, { now: 0, rest: 1 }))
        const asked = question(entry)
        const [result] = bodyJson.chart.result
        const [quote] = result.indicators.quote
        const stamps: ReadonlyArray<number> = result.timestamp ?? []
        for (const pretty of [undefined, 2]) {
          const text = JSON.stringify(bodyJson, null, pretty)
          const decoded = yield* decodeBody(text, asked)
          assert.deepStrictEqual(decoded.rejected, [])
          const zone = result.meta.exchangeTimezoneName
          const wanted = stamps
            .map((seconds, row) => ({ ts: dateIn(zone, seconds), row }))
            .filter(({ ts }) => ts >= asked.range.start && ts < asked.range.end)
          assert.deepStrictEqual(
            decoded.bars.map(({ ts }, index) => ({ ts, row: decoded.positions[index] })),
            wanted
          )
          assert.strictEqual(decoded.meta?.currency, result.meta.currency)
          assert.strictEqual(decoded.meta?.exchangeTimezoneName, zone)
          for (const [index, bar] of decoded.bars.entries()) {
            const row = wanted[index]?.row ?? -1
            for (const name of ["open", "high", "low", "close"] as const) {
              // What Yahoo meant has few digits and is the same 32-bit float.
              assert.strictEqual(Math.fround(bar[name]), Math.fround(quote[name][row]))
              assert.isAtMost(String(bar[name]).replace(/[-.]/g, "").length, 9)
            }
            assert.strictEqual(bar.volume, quote.volume[row])
          }
          const dividends: ReadonlyArray<{ amount: number; date: number }> = Object.values(
            result.events?.dividends ?? {}
          )
          const splits: ReadonlyArray<{ numerator: number; denominator: number; date: number }> = Object.values(
            result.events?.splits ?? {}
          )
          assert.deepStrictEqual(decoded.actions?.rows ?? [], [
            ...splits.map(({ date, denominator, numerator }) => ({
              ts: dateIn(zone, date),
              kind: "split" as const,
              numerator,
              denominator
            })),
            ...dividends.map(({ amount, date }) => ({
              ts: dateIn(zone, date),
              kind: "dividend" as const,
              amount,
              currency: result.meta.currency
            }))
          ])
        }
      })
    )
  }

  it.effect("refuses the made-up ones that have prices without a timestamp", () =>
    Effect.gen(function* () {
      const entries = charts.filter(({ file }) => made(file))
      assert.strictEqual(entries.length, 2)
      for (const entry of entries) {
        const fault = yield* faultOf(JSON.stringify(read(entry).bodyJson), question(entry))
        assert.strictEqual(fault, "Malformed: the chart has prices without a timestamp")
      }
    })
  )

  it.effect("has the prices that were printed on the tape", () =>
    Effect.gen(function* () {
      const entry = charts.find(({ file }) => file.includes("AAPL-2020-08-31"))
      if (entry === undefined) return assert.fail("no such recording")
      const { bars, meta } = yield* decodeBody(JSON.stringify(read(entry).bodyJson), question(entry))
      assert.strictEqual(bars[0]?.close, 129.04)
      assert.strictEqual(bars[1]?.close, 134.18)
      assert.strictEqual(bars.length, 49)
      assert.strictEqual(meta?.currency, "USD")
      const all = yield* decodeBody(JSON.stringify(read(entry).bodyJson), { ...question(entry), adjustment: "all" })
      for (const [index, bar] of all.bars.entries()) {
        const factor = bar.close / (bars[index]?.close ?? 0)
        assert.closeTo(bar.open / (bars[index]?.open ?? 0), factor, 2e-7)
        assert.strictEqual(bar.volume, bars[index]?.volume)
      }
    })
  )
})
