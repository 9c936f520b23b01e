import { Flag } from "effect/cli"

export const symbolFlag = Flag.String("symbol").pipe(
  Flag.withMetavar("SYMBOL"),
  Flag.withDescription("Only rows of this symbol, as 'tapestry series list' spells it"),
  Flag.optional
)
