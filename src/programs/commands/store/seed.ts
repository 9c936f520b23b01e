import { Effect, FileSystem, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { parseYaml } from "../../../layers/config/parseYaml.ts"
import { StoreSeed, seedStore } from "../../../layers/market/upkeep/seed.ts"
import { wordsOf } from "../../../layers/platformWords.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { Output } from "../../terminal/Output.ts"
import { withUpkeep } from "../../withUpkeep.ts"

const flags = {
  file: Flag.String("file").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("YAML or JSON: tenants, chunks, compress, retention, aggregates")
  )
}

const seedIn = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    fs.readFileString(file),
    (error) => new UsageError({ message: `${file} cannot be read: ${wordsOf(error)}` })
  )
  const document = yield* Effect.mapError(
    Effect.fromResult(parseYaml(text)),
    ({ found, line }) => new UsageError({ message: `${file}${line === null ? "" : `, line ${line}`}: ${found}` })
  )
  return yield* Effect.mapError(
    Schema.decodeUnknownEffect(StoreSeed)(document ?? {}, { onExcessProperty: "error" }),
    ({ message }) => new UsageError({ message: `${file}: ${message}` })
  )
})

const seed = Effect.fn("tapestry store seed")(
  function* ({ file }: Command.Command.Config.Infer<typeof flags>) {
    const json = yield* Json
    const { line, lines } = yield* Output
    const wanted = yield* seedIn(file)
    const seeded = yield* withUpkeep({ readonly: false, create: true }, (upkeep) =>
      upkeep === null ? Effect.succeed({ done: [] }) : seedStore(upkeep, wanted)
    )
    if (json) return yield* line(JSON.stringify(seeded))
    yield* lines(seeded.done.length === 0 ? [`the store is as ${file} has it; nothing to do`] : seeded.done)
  },
  asCommand("store", "seed")
)

export const command = Command.make("seed", flags, seed).pipe(
  Command.withDescription(
    "Make the store as a file has it: tables, tenants, and with TimescaleDB chunks, compression, retention and aggregates. Only what differs is changed, and what the file does not name stays as it is, so it may be run again and again."
  ),
  Command.withShortDescription("Tenants and policies as a file has them"),
  Command.withExamples([{ command: "tapestry store seed --file deployment.yaml" }])
)
