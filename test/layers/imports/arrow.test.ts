/**
 * Arrow IPC through an import, over the real archive and store. The files in `arrow-files` were written by pandas 2, pyarrow 25 and Polars;
 * all but those of dictionaries that change hold the six rows below.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import {
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Dictionary,
  Float16,
  Float64,
  Int32,
  Int64,
  makeData,
  Table,
  Timestamp,
  TimeUnit,
  tableFromArrays,
  tableToIPC,
  Uint64,
  Utf8,
  Vector,
  vectorFromArray
} from "apache-arrow"
import { Cause, Effect, Exit } from "effect"
import fc from "fast-check"
import type { RecordSeries } from "../../../src/domain/records/RecordKind.ts"
import type { Trade } from "../../../src/domain/records/Trade.ts"
import { segmentBytes } from "../../../src/layers/imports/SegmentCutter.ts"
import { Imports } from "../../../src/services/Imports.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { collect, everything, seriesOf } from "../../services/market/commits.ts"
import { recordSeries } from "../../services/records/commits.ts"
import { fresh, importing, specOf } from "./support.ts"

const directory = join(import.meta.dirname, "arrow-files")
const file = (name: string): Uint8Array => Uint8Array.from(readFileSync(join(directory, name)))
const arrow = specOf({ format: "arrow" })
const trades: RecordSeries<"trade"> = { ...recordSeries("trade"), vendor: "acme" }
const stored = Effect.flatMap(RecordStore, (records) => collect(records.rows(trades, everything)))

const tsNs = (row: number) => 1_700_000_000_123_456_789n + BigInt(row) * 1_000_000_007n
const six: ReadonlyArray<Trade> = [
  [100.25, 1, "XNAS", "buy", "a"],
  [99.1, null, null, "sell", "é🚀 longer than twelve bytes"],
  [-37.63, 3, "ARCX", null, null],
  [0.1, 4, "XNAS", "buy", '"'],
  [1e-9, 5, "", "sell", "\\"],
  [123456.789, 6, "ARCX", "buy", "line\nend"]
].map(([price, size, venue, side, conditions], sequence) => ({
  tsNs: tsNs(sequence),
  price,
  size,
  venue,
  sequence,
  side,
  conditions
})) as ReadonlyArray<Trade>

const stream = (columns: Readonly<Record<string, Vector>>): Uint8Array => tableToIPC(new Table(columns), "stream")
const column = (values: ReadonlyArray<unknown>, type: DataType): Vector => vectorFromArray([...values], type)
const stamps = (unit: TimeUnit, values: ReadonlyArray<bigint>, zone: string | null = "UTC"): Vector =>
  new Vector([makeData({ type: new Timestamp(unit, zone), length: values.length, data: BigInt64Array.from(values) })])
const doubles = (...values: ReadonlyArray<number>): Vector => column(values, new Float64())

describe("imports of Arrow", () => {
  for (const name of readdirSync(directory)) {
    if (/late|deltas|replaced/.test(name)) continue
    it.effect(`71: ${name} gives its rows, and in any pieces the same segments`, () =>
      Effect.gen(function* () {
        const tally = yield* importing(file(name), arrow)
        assert.deepInclude(tally, { rows: 6, inserted: 6, rejectedLines: [] })
        assert.deepStrictEqual(yield* stored, six)
        for (const size of [1, 7, 300]) {
          assert.deepInclude(yield* importing(file(name), arrow, size), { rows: 6, known: 6, inserted: 0 })
        }
      }).pipe(Effect.provide(fresh))
    )
  }

  for (const [name, venues] of [
    ["pyarrow-deltas.arrows", ["A", "B", "A", "C", "A", "D"]],
    ["pyarrow-replaced.arrows", ["A", "B", "A", "C", "A", "D"]]
  ] as const) {
    it.effect(`a dictionary that changes from batch to batch: ${name}`, () =>
      Effect.gen(function* () {
        assert.deepInclude(yield* importing(file(name), arrow), { rows: 6, inserted: 6, segments: 3 })
        const found = (yield* stored).map(({ venue }) => venue)
        assert.deepStrictEqual(found, [...venues])
      }).pipe(Effect.provide(fresh))
    )
  }

  it.effect("a dictionary behind the rows that need it is refused, with what to do", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(importing(file("polars-late-dictionary.arrow"), arrow))
      assert.include(
        String(error),
        'the dictionary of the column "venue" comes behind the rows that need it; write the stream'
      )
      assert.deepStrictEqual(yield* stored, [])
    }).pipe(Effect.provide(fresh))
  )

  it.effect("C13, X7: a batch is archived as it came, and the rows are stored again from it", () =>
    Effect.gen(function* () {
      const given = stream({ ts: stamps(TimeUnit.NANOSECOND, [1n, 2n]), price: doubles(1.5, 2.5) })
      yield* importing(given, arrow)
      const archive = yield* ProvenanceStore
      const [response] = yield* archive.responses({ limit: 1 })
      const kept = yield* archive.payload(response?.sha256 ?? "")
      // All but the mark of its end.
      assert.deepStrictEqual(Buffer.from(kept), Buffer.from(given.subarray(0, given.length - 8)))
      const before = yield* stored
      yield* (yield* MarketStore).forget(trades)
      assert.deepStrictEqual(yield* stored, [])
      const again = yield* collect((yield* Imports).replay())
      assert.deepStrictEqual(
        again.map(({ inserted, problem, rows }) => ({ inserted, problem, rows })),
        [{ inserted: 2, problem: null, rows: 2 }]
      )
      assert.deepStrictEqual(yield* stored, before)
    }).pipe(Effect.provide(fresh))
  )

  it.effect("a batch that is larger than a segment is cut by rows, and nothing of it is lost", () =>
    Effect.gen(function* () {
      const rows = 40_000
      const index = Array.from({ length: rows }, (_, row) => row)
      const given = stream({
        ts: stamps(
          TimeUnit.NANOSECOND,
          index.map((row) => BigInt(row))
        ),
        price: doubles(...index.map((row) => row / 8)),
        size: column(
          index.map((row) => (row % 3 === 0 ? null : row)),
          new Int32()
        ),
        venue: column(
          index.map((row) => (row % 5 === 0 ? null : `venue ${row % 7}`)),
          new Dictionary(new Utf8(), new Int32())
        ),
        conditions: column(
          index.map((row) => (row % 4 === 0 ? null : "é".repeat(row % 9))),
          new Utf8()
        )
      })
      assert.isAbove(given.length, segmentBytes)
      const tally = yield* importing(given, arrow, 10_000)
      assert.deepInclude(tally, { rows, inserted: rows, rejectedLines: [] })
      assert.isAbove(tally.segments, 1)
      const found = yield* stored
      assert.deepStrictEqual(
        found.map(({ conditions, price, size, venue }) => [price, size, venue, conditions]),
        index.map((row) => [
          row / 8,
          row % 3 === 0 ? null : row,
          row % 5 === 0 ? null : `venue ${row % 7}`,
          row % 4 === 0 ? null : "é".repeat(row % 9)
        ])
      )
      const archive = yield* ProvenanceStore
      for (const { sizeBytes } of yield* archive.responses({ limit: 100 })) assert.isAtMost(sizeBytes, segmentBytes)
      assert.deepInclude(yield* importing(given, arrow), { rows, known: rows, inserted: 0 })
    }).pipe(Effect.provide(fresh))
  )

  it.effect("72: what cannot be accepted is told by its row in the whole file", () =>
    Effect.gen(function* () {
      const table = (first: bigint, price: Vector, size: Vector) =>
        new Table({ ts: stamps(TimeUnit.NANOSECOND, [first, first + 1n, first + 2n]), price, size })
      const first = table(1n, doubles(1, Number.NaN, 3), column([1n, 2n, 2n ** 53n + 1n], new Int64()))
      const second = table(4n, doubles(1, Number.POSITIVE_INFINITY, 3), column([1n, 2n, -1n], new Int64()))
      const whole = tableToIPC(new Table([...first.batches, ...second.batches]), "stream")
      const tally = yield* importing(whole, arrow)
      assert.deepInclude(tally, { rows: 6, inserted: 2, segments: 2 })
      assert.deepStrictEqual(
        tally.rejectedLines.map(({ line, reason }) => [line, reason]),
        [
          [2, "price is not a finite number: NaN"],
          [3, "size: 9007199254740993 is not exactly a double"],
          [5, "price is not a finite number: Infinity"],
          [6, "size is negative: -1"]
        ]
      )
      const nul = stream({
        ts: stamps(TimeUnit.NANOSECOND, [7n, 8n]),
        price: doubles(1, 2),
        venue: column(["a\u0000b", ""], new Utf8())
      })
      const { rejectedLines } = yield* importing(nul, arrow)
      assert.deepStrictEqual(
        rejectedLines.map(({ line, reason }) => [line, reason]),
        [[1, "venue: text with a NUL character cannot be stored"]]
      )
      assert.deepInclude((yield* stored).at(-1), { tsNs: 8n, venue: "" })
      const error = yield* Effect.flip(importing(whole, { ...arrow, rejects: "fail", name: "again" }))
      assert.include(String(error), "row 2: price is not a finite number: NaN")
    }).pipe(Effect.provide(fresh))
  )

  it.effect("stamps of every unit, decimals, dates and whole numbers are taken exactly", () =>
    Effect.gen(function* () {
      const price = new Vector([
        makeData({ type: new Decimal(2, 38, 128), length: 1, data: Uint32Array.of(0xffff_f14c, ~0, ~0, ~0) })
      ])
      for (const [unit, value, nanos] of [
        [TimeUnit.SECOND, -1n, -1_000_000_000n],
        [TimeUnit.MILLISECOND, -1n, -1_000_000n],
        [TimeUnit.MICROSECOND, -1n, -1_000n],
        [TimeUnit.NANOSECOND, -1n, -1n]
      ] as const) {
        yield* importing(stream({ ts: stamps(unit, [value], "Asia/Tokyo"), price }), arrow)
        assert.deepInclude((yield* stored).at(-1), { tsNs: nanos, price: -37.64 })
      }
      const whole = { price: column([7n], new Uint64()), tsNs: column([2n ** 62n], new Int64()) }
      yield* importing(stream(whole), arrow)
      assert.deepInclude((yield* stored).at(-1), { tsNs: 2n ** 62n, price: 7 })
      const bars = { vendor: "acme", timeframe: "1d", session: "regular" } as const
      const ohlc = { open: doubles(1), high: doubles(2), low: doubles(1), close: doubles(2) }
      const dates = specOf({ format: "arrow", kind: "bar", defaults: bars })
      const day = 86_400_000n
      yield* importing(stream({ date: column([new Date(Number(day))], new DateDay()), ...ohlc }), dates)
      yield* importing(stream({ date: stamps(TimeUnit.NANOSECOND, [2n * day * 1_000_000n], null), ...ohlc }), dates)
      const found = yield* collect((yield* MarketStore).bars(seriesOf("SPY", bars), everything))
      assert.deepStrictEqual(
        found.map(({ ts }) => ts),
        [Number(day), 2 * Number(day)]
      )
    }).pipe(Effect.provide(fresh))
  )

  const ts = stamps(TimeUnit.NANOSECOND, [1n])
  const refused: ReadonlyArray<readonly [string, Readonly<Record<string, Vector>>, string]> = [
    [
      "a flag as a price",
      { ts, price: column([true], new Bool()) },
      'the column "price" is Bool, which cannot be taken exactly as a number; cast it to float64'
    ],
    ["half a float as a price", { ts, price: column([1], new Float16()) }, 'the column "price" is Float16'],
    [
      "a double as a venue",
      { ts, price: doubles(1), venue: doubles(1) },
      'the column "venue" is Float64, which cannot be taken exactly as text; cast it to a string'
    ],
    [
      "a double as a stamp",
      { ts: doubles(1), price: doubles(1) },
      'the column "ts" is Float64, which cannot be taken exactly as a stamp'
    ],
    [
      "a stamp without a zone",
      { ts: stamps(TimeUnit.NANOSECOND, [1n], null), price: doubles(1) },
      "without a zone, which is no instant; give it one"
    ],
    ["a column of no field", { ts, price: doubles(1), prize: doubles(1) }, "did you mean price?"],
    ["no price", { ts, size: doubles(1) }, "there is no column price"]
  ]
  for (const [what, columns, message] of refused) {
    it.effect(`${what} is refused, and nothing is stored`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(importing(stream(columns), arrow))
        assert.include(String(error), message)
        assert.deepStrictEqual(yield* (yield* ProvenanceStore).responses({ limit: 1 }), [])
      }).pipe(Effect.provide(fresh))
    )
  }

  it.effect("stamps without a zone are in UTC where that is said", () =>
    Effect.gen(function* () {
      const given = stream({ ts: stamps(TimeUnit.MICROSECOND, [5n], null), price: doubles(1) })
      yield* importing(given, { ...arrow, zoneless: "utc" })
      assert.strictEqual((yield* stored)[0]?.tsNs, 5_000n)
    }).pipe(Effect.provide(fresh))
  )

  it.effect("a file without rows, an empty text and one that breaks off", () =>
    Effect.gen(function* () {
      const empty = tableToIPC(tableFromArrays({ ts: new BigInt64Array(), price: new Float64Array() }), "stream")
      assert.include(String(yield* Effect.flip(importing(new Uint8Array(), arrow))), "it breaks off")
      assert.deepInclude(
        yield* importing(empty, specOf({ format: "arrow", kind: "option", unknownColumns: "ignore" })).pipe(
          Effect.exit
        ),
        { _tag: "Failure" }
      )
      assert.deepInclude(yield* importing(stream({ ts: stamps(TimeUnit.NANOSECOND, []), price: doubles() }), arrow), {
        rows: 0
      })
      const whole = file("pandas-plain.feather")
      for (const length of [3, 8, 100, 1_500, whole.length / 2]) {
        const exit = yield* Effect.exit(importing(whole.subarray(0, length), arrow))
        assert.isTrue(Exit.isFailure(exit), `${length} bytes`)
      }
    }).pipe(Effect.provide(fresh))
  )

  for (const name of ["pandas-plain.feather", "pandas-lz4.feather", "polars-views.arrow"]) {
    it(`damage anywhere in ${name} is told or harmless, never a defect`, async () => {
      const whole = file(name)
      await Effect.gen(function* () {
        const imports = yield* Effect.context<Imports>()
        const property = fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
          (damages) => {
            const bytes = whole.slice()
            for (const [at, byte] of damages) bytes[at] = byte
            return importing(bytes, arrow).pipe(
              Effect.exit,
              Effect.map((exit) => Exit.isSuccess(exit) || !Cause.hasDies(exit.cause)),
              Effect.provide(imports),
              Effect.runPromise
            )
          }
        )
        yield* Effect.promise(() => fc.assert(property, { numRuns: 200, seed: 7 }))
      }).pipe(Effect.provide(fresh), Effect.runPromise)
    }, 60_000)
  }
})
