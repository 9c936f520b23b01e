/** Rows of any kind that can be stored, made from the columns of the kind: nasty texts, any double, the ends of every range. */
import fc from "fast-check"
import type { Bar } from "../../../src/domain/Bar.ts"
import type { Cell, Column } from "../../../src/domain/records/Column.ts"
import { type AnyRecord, defectOf, type RecordKind, recordKinds } from "../../../src/domain/records/RecordKind.ts"

const nastyText = fc.string({
  unit: fc.constantFrom("a", "B", '"', "\n", "\r", "\\", ",", "é", "🚀", "\u2028", " ", "'", "\t", ";", "#", "|"),
  maxLength: 8
})
// -0 is stored as 0.
const real = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
const integer = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER))
const date = fc.integer({ min: 0, max: 40_000 }).map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10))

/**
 * JSON without names of one escaped character: V8 13.6 reads such a name wrongly behind a name of two backslashes that it has seen at that
 * place.
 */
const json = fc
  .jsonValue({ maxDepth: 2 })
  .filter((value) => value !== null && !/"(?:\\u[0-9a-f]{4}|\\.)":|__proto__/.test(JSON.stringify(value)))
  .map((value): Cell => JSON.parse(JSON.stringify(value)))

/** What a column takes beyond its type. */
const special: Readonly<Record<string, fc.Arbitrary<Cell>>> = {
  side: fc.constantFrom("buy", "sell"),
  right: fc.constantFrom("C", "P"),
  sentiment: fc.double({ min: -1, max: 1, noNaN: true }).map((value) => value + 0),
  strike: fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true })
}

const positive = new Set(["size", "bidSize", "askSize", "iv", "openInterest", "volume"])

const ofType = ({ name, type }: Column): fc.Arbitrary<Cell> => {
  const given = special[name]
  if (given !== undefined) return given
  switch (type) {
    case "real":
      return positive.has(name) ? real.map(Math.abs) : real
    case "integer":
      return integer
    case "text":
      return nastyText
    case "date":
      return date
    case "json":
      return json
  }
}

/** To the first and the last millisecond that there is; before 4714 BC PostgreSQL has none. */
const millis = fc.oneof(
  fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
  fc.constantFrom(-210_866_803_200_000, 8_640_000_000_000_000 - 1, 0)
)
const nanos = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, -1n, 0n, 1_700_000_000_123_456_789n)
)

/** Of one kind, each of which can be stored. */
export const recordOfKind = (kind: RecordKind): fc.Arbitrary<AnyRecord> => {
  const { columns, nanos: inNanos } = recordKinds[kind]
  const cells = Object.fromEntries(
    columns.map((column) => [column.name, column.nullable ? fc.option(ofType(column)) : ofType(column)])
  )
  const stamp: Record<string, fc.Arbitrary<number | bigint>> = inNanos ? { tsNs: nanos } : { ts: millis }
  return fc
    .record<Record<string, unknown>>({ ...stamp, ...cells })
    .map((row) => ({ ...row }) as unknown as AnyRecord)
    .filter((row) => defectOf<RecordKind>(kind, row) === null)
}

/** Of a timeframe below a day. */
export const anyBar: fc.Arbitrary<Bar> = fc
  .record({
    ts: millis,
    prices: fc.tuple(real, real, real, real),
    volume: fc.option(real.map(Math.abs)),
    vwap: fc.option(real),
    count: fc.option(fc.nat())
  })
  .map(({ prices, ...rest }) => {
    const [low, open, close, high] = prices.toSorted((a, b) => a - b) as [number, number, number, number]
    return { ts: rest.ts, open, high, low, close, volume: rest.volume, vwap: rest.vwap, count: rest.count }
  })
