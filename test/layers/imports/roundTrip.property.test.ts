/** Rows of any kind written as `dump` writes them, packed in any way, and taken in again: exactly they, in both stores. */
import { gzipSync, zstdCompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import fc from "fast-check"
import type { Bar } from "../../../src/domain/Bar.ts"
import {
  type AnyRecord,
  identityOf,
  isRecordSeries,
  RecordKind,
  recordKinds
} from "../../../src/domain/records/RecordKind.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { recordsArrow } from "../../../src/layers/export/RecordsArrow.ts"
import { recordsText } from "../../../src/layers/export/RecordsText.ts"
import { openText } from "../../../src/layers/imports/openText.ts"
import type { ImportKind, ImportSpec, Imports } from "../../../src/services/Imports.ts"
import { MarketStore, type MarketStoreError } from "../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { collect, everything, seriesOf } from "../../services/market/commits.ts"
import { anyBar, recordOfKind } from "../../services/records/arbitraries.ts"
import { recordSeries } from "../../services/records/commits.ts"
import { fresh, freshPostgres, importing, specOf } from "./support.ts"

type Row = Bar | AnyRecord
type Format = ImportSpec["format"]

const kinds: ReadonlyArray<ImportKind> = ["bar", ...RecordKind.literals]
const formats: ReadonlyArray<Format> = ["ndjson", "csv", "arrow"]
const stores = [
  ["SQLite", fresh],
  ["PostgreSQL", freshPostgres]
] as const

const packings = {
  none: (bytes: Uint8Array) => bytes,
  gzip: (bytes: Uint8Array): Uint8Array => gzipSync(bytes),
  zstd: (bytes: Uint8Array): Uint8Array => zstdCompressSync(bytes)
}
const packing = fc.constantFrom<keyof typeof packings>("none", "gzip", "zstd")

const seriesOfKind = (kind: ImportKind, symbol: string): SeriesKey =>
  kind === "bar"
    ? seriesOf(symbol, { vendor: "acme", session: "regular" })
    : { ...recordSeries(kind, symbol), vendor: "acme" }

const keyOf = (kind: ImportKind, row: Row): string => {
  const stamp = "tsNs" in row ? row.tsNs : row.ts
  return kind === "bar" ? String(stamp) : `${stamp} ${identityOf<RecordKind>(kind, row as AnyRecord)}`
}

const rowsOfKind = (kind: ImportKind): fc.Arbitrary<ReadonlyArray<Row>> =>
  fc.uniqueArray<Row, string>(kind === "bar" ? anyBar : recordOfKind(kind), {
    selector: (row) => keyOf(kind, row),
    minLength: 1,
    maxLength: 12
  })

/** As `dump` writes it. */
const written = (kind: ImportKind, format: Format, series: SeriesKey, rows: ReadonlyArray<Row>): Uint8Array => {
  const { head, rows: text, tail } = format === "arrow" ? recordsArrow(kind) : recordsText(kind, format)
  return Buffer.concat([head, text(series, rows), tail()].map((part) => Buffer.from(part)))
}

const stored = (series: SeriesKey): Effect.Effect<ReadonlyArray<Row>, MarketStoreError, MarketStore | RecordStore> =>
  Effect.gen(function* () {
    return isRecordSeries(series)
      ? yield* collect((yield* RecordStore).rows(series, everything))
      : yield* collect((yield* MarketStore).bars(series, everything))
  })

const spec = (kind: ImportKind, format: Format): ImportSpec =>
  specOf({ kind, format, symbolCase: "exact", defaults: { vendor: null, symbol: null } })

/** Through the door by which a file comes, whose packing its first bytes say; in pieces of a few bytes. */
const takenIn = (kind: ImportKind, format: Format, bytes: Uint8Array) =>
  Effect.scoped(
    Effect.gen(function* () {
      const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, at) => bytes.subarray(7 * at, 7 * at + 7))
      const { content, text } = yield* openText(Stream.fromIterable(pieces))
      assert.strictEqual(content, format === "arrow" ? "arrow" : null)
      const whole = Buffer.concat(yield* Stream.runCollect(text))
      return yield* importing(whole, spec(kind, format), 1_000)
    })
  )

let symbols = 0

for (const [name, layer] of stores) {
  describe(`73, 75: rows through files and ${name}`, () => {
    for (const format of formats) {
      it.live(
        `${format}: every kind comes back exactly, whatever its rows hold, and is written again as it was`,
        () =>
          Effect.gen(function* () {
            const context = yield* Effect.context<Imports | MarketStore | RecordStore>()
            for (const kind of kinds) {
              const property = fc.asyncProperty(rowsOfKind(kind), packing, (rows, packed) =>
                Effect.gen(function* () {
                  const series = seriesOfKind(kind, `s ${++symbols}`)
                  const bytes = written(kind, format, series, rows)
                  const tally = yield* takenIn(kind, format, packings[packed](bytes))
                  assert.deepStrictEqual(tally.rejectedLines, [], kind)
                  assert.strictEqual(tally.inserted, rows.length, kind)
                  const found = yield* stored(series)
                  assert.sameDeepMembers([...found], [...rows], kind)
                  const again = seriesOfKind(kind, `s ${++symbols}`)
                  yield* takenIn(kind, format, written(kind, format, again, found))
                  assert.deepStrictEqual(yield* stored(again), found, kind)
                }).pipe(Effect.provideContext(context), Effect.runPromise)
              )
              yield* Effect.promise(() => fc.assert(property, { numRuns: 12 }))
            }
          }).pipe(Effect.provide(layer)),
        120_000
      )
    }
  })
}

const columnsOfType = (kind: RecordKind, type: "text" | "real") =>
  recordKinds[kind].columns.filter((column) => column.type === type).map((column) => column.name)

describe("73: what no store can keep is refused with its row, whatever the format, and the rows around it are stored", () => {
  for (const format of formats) {
    it.live(`${format}: a NUL in a text, and numbers that are none`, () =>
      Effect.gen(function* () {
        const context = yield* Effect.context<Imports | MarketStore | RecordStore>()
        for (const kind of RecordKind.literals) {
          const bad = fc.oneof(
            fc.record({
              column: fc.constantFrom(...columnsOfType(kind, "real")),
              value: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
            }),
            ...columnsOfType(kind, "text").map((column) =>
              fc.record({ column: fc.constant(column), value: fc.constantFrom("\u0000", "a\u0000b") })
            )
          )
          const property = fc.asyncProperty(rowsOfKind(kind), fc.nat(), bad, (rows, place, { column, value }) =>
            Effect.gen(function* () {
              const series = seriesOfKind(kind, `s ${++symbols}`)
              const at = place % rows.length
              const spoilt = rows.map((row, index) => (index === at ? { ...row, [column]: value } : row)) as Array<Row>
              // JSON has no such number; 1e999 is how one is written that is too large.
              const bytes = Buffer.from(written(kind, format, series, spoilt))
              const text =
                format === "ndjson" && typeof value === "number"
                  ? spoiltLine(bytes.toString(), at, column, value)
                  : bytes
              const tally = yield* importing(text, spec(kind, format))
              assert.strictEqual(tally.rejectedLines.length, 1, `${kind} ${column}`)
              assert.include(tally.rejectedLines[0]?.reason, column)
              assert.sameDeepMembers(
                [...(yield* stored(series))],
                rows.filter((_, index) => index !== at)
              )
            }).pipe(Effect.provideContext(context), Effect.runPromise)
          )
          yield* Effect.promise(() => fc.assert(property, { numRuns: 12 }))
        }
      }).pipe(Effect.provide(fresh))
    )
  }
})

const spoiltLine = (text: string, at: number, column: string, value: number): string => {
  const lines = text.split("\n")
  const number = Number.isNaN(value) ? '"NaN"' : value > 0 ? "1e999" : "-1e999"
  lines[at] = (lines[at] ?? "").replace(`"${column}":null`, `"${column}":${number}`)
  return lines.join("\n")
}
