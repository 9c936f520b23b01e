import { Result, Schema } from "effect"
import type { Bar } from "./Bar.ts"
import { SeriesKey } from "./SeriesKey.ts"
import { EpochMillis } from "./TimeRange.ts"

/** The values of a bar that two vendors can disagree about. */
export const ReconciledField = Schema.Literals(["open", "high", "low", "close", "volume", "vwap", "count"])
export type ReconciledField = typeof ReconciledField.Type

/**
 * How far two values may lie apart and still agree. `relative`: `value` is a share (0.05 for 5 %) of the larger magnitude of the
 * two; else it is in the unit of the values themselves.
 */
export const Tolerance = Schema.Struct({
  value: Schema.Finite.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0))),
  relative: Schema.Boolean
})
export interface Tolerance extends Schema.Schema.Type<typeof Tolerance> {}

/** Fields that are not named are compared exactly, but `vwap` and `count`, which are compared only where they are named. */
export const Tolerances = Schema.Record(ReconciledField, Schema.optionalKey(Tolerance))
export type Tolerances = typeof Tolerances.Type

/**
 * One disagreement of two series about the bar at `ts`. `row`: the bar exists on one side alone; its close is on that side, null
 * on the other.
 */
export const Mismatch = Schema.Struct({
  ts: EpochMillis,
  field: Schema.Literals([...ReconciledField.literals, "row"]),
  left: Schema.NullOr(Schema.Finite),
  right: Schema.NullOr(Schema.Finite)
})
export interface Mismatch extends Schema.Schema.Type<typeof Mismatch> {}

/** A disagreement as it is kept: since when it is known, and since when the two agree again (null: they do not). */
export const StoredMismatch = Schema.Struct({
  left: SeriesKey,
  right: SeriesKey,
  mismatch: Mismatch,
  foundAt: EpochMillis,
  resolvedAt: Schema.NullOr(EpochMillis)
})
export interface StoredMismatch extends Schema.Schema.Type<typeof StoredMismatch> {}

const exactly: Tolerance = { value: 0, relative: false }
const always: ReadonlyArray<ReconciledField> = ["open", "high", "low", "close", "volume"]

/** Nearness of decimals that went through doubles: 0.3 and 0.1 + 0.2 agree within a tolerance of nothing. */
const wobble = 4 * Number.EPSILON

const agree = (left: number, right: number, { relative, value }: Tolerance): boolean => {
  const size = Math.max(Math.abs(left), Math.abs(right))
  return Math.abs(left - right) <= (relative ? value * size : value) + wobble * size
}

/** The fields that these tolerances compare, with the tolerance of each. */
export const compared = (tolerances: Tolerances): ReadonlyArray<readonly [ReconciledField, Tolerance]> =>
  ReconciledField.literals.flatMap((field) => {
    const tolerance = tolerances[field] ?? (always.includes(field) ? exactly : undefined)
    return tolerance === undefined ? [] : [[field, tolerance] as const]
  })

/** What two bars of one stamp disagree about, in the order of the fields. A null on either side asserts nothing. */
export const mismatchesOf = (left: Bar, right: Bar, fields: ReturnType<typeof compared>): ReadonlyArray<Mismatch> => {
  const found: Array<Mismatch> = []
  for (const [field, tolerance] of fields) {
    const a = left[field]
    const b = right[field]
    if (a === null || b === null || agree(a, b, tolerance)) continue
    found.push({ ts: left.ts, field, left: a, right: b })
  }
  return found
}

const isField = Schema.is(ReconciledField)

/** A number (`0.001`), or a percentage (`5%`) of the larger of two values. */
export const parseTolerance = (text: string): Result.Result<Tolerance, string> => {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text.trim())
  if (match === null)
    return Result.fail(`${JSON.stringify(text)} is no tolerance; write a number, 0.001, or a percentage, 5%`)
  const value = Number(match[1])
  return Result.succeed(match[2] === "%" ? { value: value / 100, relative: true } : { value, relative: false })
}

/** `close=0.001,volume=5%`; `price` stands for open, high, low and close. */
export const parseTolerances = (text: string): Result.Result<Tolerances, string> =>
  Result.gen(function* () {
    const tolerances: Partial<Record<ReconciledField, Tolerance>> = {}
    for (const part of text.split(",").filter((word) => word.trim() !== "")) {
      const [name = "", value = ""] = part.split("=").map((word) => word.trim())
      const fields: ReadonlyArray<ReconciledField> =
        name === "price" ? ["open", "high", "low", "close"] : isField(name) ? [name] : []
      if (fields.length === 0) {
        return yield* Result.fail(
          `there is no field ${JSON.stringify(name)}; fields: price ${ReconciledField.literals.join(" ")}`
        )
      }
      const tolerance = yield* parseTolerance(value)
      for (const field of fields) tolerances[field] = tolerance
    }
    return tolerances
  })
