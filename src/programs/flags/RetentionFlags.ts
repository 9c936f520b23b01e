/** Which rows a retention is about. */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { Retention } from "../../services/StorePolicies.ts"
import { UsageError } from "../failure/UsageError.ts"
import { kindArgument, kindOf } from "./KindArgument.ts"

export const retentionFlags = {
  kind: kindArgument,
  timeframe: Flag.String("timeframe").pipe(
    Flag.withDescription("Only series of this timeframe, of bars"),
    Flag.optional
  )
}

interface Input {
  readonly kind: string
  readonly timeframe: Option.Option<string>
}

export const retentionOf = Effect.fnUntraced(function* (input: Input) {
  const kind = yield* kindOf(input.kind)
  const timeframe = Option.getOrNull(input.timeframe)
  if (timeframe !== null && kind !== "bar") {
    return yield* new UsageError({ message: "--timeframe: only bars have one" })
  }
  if (timeframe !== null && !Timeframe.all.some((known) => known === timeframe)) {
    return yield* new UsageError({ message: `--timeframe ${timeframe}: expected one of ${Timeframe.all.join(" ")}` })
  }
  const retention: Retention = { kind, timeframe }
  return retention
})

export const described = ({ kind, timeframe }: Input): string =>
  Option.isNone(timeframe) ? kind : `${kind} of ${timeframe.value}`
