import { Effect } from "effect"
import { Argument, Flag } from "effect/cli"
import type { ImportKind } from "../../services/Imports.ts"
import { UsageError } from "../failure/UsageError.ts"

/** What a file holds, as people call it. */
const kinds: Readonly<Record<string, ImportKind>> = {
  bars: "bar",
  trades: "trade",
  quotes: "quote",
  statistics: "statistic",
  fundamentals: "fundamental",
  news: "news",
  options: "option",
  signals: "signal"
}

export const kindNames: ReadonlyArray<string> = Object.keys(kinds)

export const kindArgument = Argument.Literals("kind", kindNames).pipe(Argument.withDescription("What the rows are"))

export const kindFlag = Flag.Literals("kind", kindNames).pipe(
  Flag.withMetavar("KIND"),
  Flag.withDescription(`What the rows are: ${kindNames.join(", ")}`),
  Flag.withDefault("bars")
)

export const kindOf = (name: string): Effect.Effect<ImportKind, UsageError> => {
  const kind = kinds[name]
  return kind === undefined ? Effect.fail(new UsageError({ message: `no kind ${name}` })) : Effect.succeed(kind)
}
