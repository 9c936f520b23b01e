import { Option, Schema } from "effect"

const most = 1_000_000

/** How fast a recording is replayed: how many of its seconds pass in one, or `max`, as fast as it is consumed. */
export const Speed = Schema.Union([
  Schema.Literal("max"),
  Schema.Finite.check(Schema.isBetween({ minimum: 0.001, maximum: most }))
]).annotate({ expected: `a speed from 0.001 to ${most}, or max` })
export type Speed = typeof Speed.Type

/** Infinite where there is no pause at all. */
export const speedOf = (speed: Speed): number => (speed === "max" ? Number.POSITIVE_INFINITY : speed)

const decode = Schema.decodeUnknownOption(Speed)

/** As a flag has it: `10`, `0.5`, `max`, `10x`; null where it is none. */
export const speedIn = (text: string): number | null => {
  const given = text === "max" ? "max" : Number(text.replace(/x$/, ""))
  return Option.getOrNull(Option.map(decode(given), speedOf))
}
