/** Values of an imported text as cells. Each function gives the cell, or a sentence that says what is wrong with it. */
import { Result, type Schema } from "effect"
import type { Cell, Column } from "../../domain/records/Column.ts"
import type { SplitInstant } from "../../domain/records/EpochNanos.ts"
import { isNanos, split } from "../../domain/records/EpochNanos.ts"

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/
const whole = /^[+-]?\d{1,16}$/

/** A refusal, told apart from a cell. */
export class Refused {
  readonly why: string
  constructor(why: string) {
    this.why = why
  }
}

/** An instant that needs no reading, as columns of Arrow have them. */
export class GivenInstant {
  readonly instant: SplitInstant
  constructor(instant: SplitInstant) {
    this.instant = instant
  }
}

/** What a row has at a column; null for no value. What could not be read already is refused. */
export type Given = Schema.Json | GivenInstant | Refused

const shown = (value: unknown): string => {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** `given` is null for no value. Numbers may be written as text, which keeps digits that a JSON number would lose. */
export const cellFrom = (column: Column, given: Given): Cell | Refused => {
  if (given === null) return null
  if (given instanceof Refused) return new Refused(`${column.name}: ${given.why}`)
  if (given instanceof GivenInstant) return new Refused(`${column.name} is not an instant`)
  switch (column.type) {
    case "real":
      if (typeof given === "number") return given
      return typeof given === "string" && decimal.test(given.trim())
        ? Number(given)
        : new Refused(`${column.name} is not a number: ${shown(given)}`)
    case "integer": {
      const number = typeof given === "string" && whole.test(given.trim()) ? Number(given) : given
      return typeof number === "number" && Number.isSafeInteger(number)
        ? number
        : new Refused(`${column.name} is not a whole number below 2^53: ${shown(given)}`)
    }
    case "text":
    case "date":
      if (typeof given === "string") return given
      return typeof given === "number"
        ? String(given)
        : new Refused(`${column.name} is neither text nor a number: ${shown(given)}`)
    case "json":
      return given
  }
}

const digits = /^-?\d{1,19}$/

/** Nanoseconds since 1970, as digits; a JSON number of them has lost its last ones already. */
export const nanosFrom = (given: Given): SplitInstant | Refused => {
  if (given instanceof Refused) return new Refused(`tsNs: ${given.why}`)
  if (given instanceof GivenInstant) return given.instant
  if (typeof given === "number" && Number.isSafeInteger(given)) return split(BigInt(given))
  if (typeof given === "number") {
    return new Refused("tsNs is a JSON number above 2^53, which has no exact nanoseconds; write it as a string")
  }
  if (typeof given !== "string" || !digits.test(given)) {
    return new Refused(`tsNs is not a whole number of nanoseconds: ${shown(given)}`)
  }
  const nanos = BigInt(given)
  return isNanos(nanos) ? split(nanos) : new Refused(`tsNs does not fit into 64 bits: ${given}`)
}

const fitting = (instant: SplitInstant, nanos: boolean, text: string): SplitInstant | Refused =>
  nanos || instant.nanos === 0
    ? instant
    : new Refused(`ts is finer than a millisecond: ${text}; this kind is stamped in milliseconds`)

/** ISO 8601, or for kinds of milliseconds a whole number of them. */
export const stampFrom = (
  given: Given,
  nanos: boolean,
  read: (text: string) => Result.Result<SplitInstant, string>
): SplitInstant | Refused => {
  if (given === null) return new Refused("ts is missing")
  if (given instanceof Refused) return new Refused(`ts: ${given.why}`)
  if (given instanceof GivenInstant) {
    const { instant } = given
    return fitting(instant, nanos, `${instant.millis} milliseconds and ${instant.nanos} nanoseconds since 1970`)
  }
  if (typeof given === "string" && !digits.test(given)) {
    const parsed = read(given)
    if (Result.isFailure(parsed)) return new Refused(`ts: ${parsed.failure}`)
    return fitting(parsed.success, nanos, given)
  }
  if (nanos) {
    return new Refused(
      `ts ${shown(given)} may be in any unit; write it in ISO 8601, or as nanoseconds in a column named tsNs`
    )
  }
  const millis = Number(given)
  return (typeof given === "number" || typeof given === "string") && Number.isSafeInteger(millis)
    ? { millis, nanos: 0 }
    : new Refused(`ts is not a whole number of milliseconds: ${shown(given)}`)
}
