import { Argument } from "effect/cli"
import { derivedTimeframes } from "../../domain/derivedTimeframes.ts"

/** Timeframes that are made of bars of a minute. */
export const derivedArgument = Argument.Literals("timeframe", derivedTimeframes).pipe(
  Argument.withDescription("What bars of a minute are made into")
)
