import { Argument } from "effect/cli"

export const templateArgument = Argument.String("template").pipe(
  Argument.withDescription("What the files are called, with {kind} in it: 'out/{tenant}-{kind}-{from}.ndjson.zst'")
)
