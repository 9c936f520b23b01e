import { Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { ByteCount, Millis } from "../../../layers/config/units.ts"
import { Maintenance } from "../../../services/Maintenance.ts"
import type { Retention } from "../../../services/ProvenanceStore.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { gcLines } from "../../format/UpkeepLines.ts"
import { settings } from "../../Settings.ts"
import { Output } from "../../terminal/Output.ts"
import { withProgress } from "../../terminal/Progress.ts"
import { withCache } from "../../withData.ts"

const flags = {
  olderThan: Flag.String("older-than").pipe(
    Flag.withMetavar("AGE"),
    Flag.withDescription("What is older may go: 90d, 12h (default: archive.retention of the configuration, else 30d)"),
    Flag.optional
  ),
  maxSize: Flag.String("max-size").pipe(
    Flag.withMetavar("SIZE"),
    Flag.withDescription("Also the oldest of what is younger, until the payloads take no more than that: 20 GiB"),
    Flag.optional
  ),
  source: Flag.String("source").pipe(
    Flag.withMetavar("VENDOR"),
    Flag.withDescription("Only answers of this vendor"),
    Flag.optional
  ),
  apply: Flag.Boolean("apply").pipe(
    Flag.withDescription("Remove it; without this it is only said what would go"),
    Flag.withDefault(false)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const decoded = <A>(schema: Schema.Decoder<A>, name: string, text: Option.Option<string>, expected: string) =>
  Option.match(text, {
    onNone: () => Effect.succeed(null),
    onSome: (given) =>
      Effect.mapError(
        Schema.decodeUnknownEffect(schema)(given),
        () => new UsageError({ message: `--${name} ${given}: expected ${expected}` })
      )
  })

/** An age that a flag gives holds for every source; a size alone asks for no age. */
const retentionOf = Effect.fnUntraced(function* (input: Input) {
  const { config } = yield* settings
  const kept = config.retention
  const age = yield* decoded(Millis, "older-than", input.olderThan, "an age such as 90d or 12h")
  const bytes = yield* decoded(ByteCount, "max-size", input.maxSize, 'a size such as "20 GiB"')
  const retention: Retention = {
    age: age ?? (bytes === null ? kept.age : null),
    ages: age === null && bytes === null ? kept.ages : {},
    bytes: bytes ?? (age === null ? kept.bytes : null),
    source: Option.getOrNull(input.source)
  }
  return retention
})

const gc = Effect.fn("tapestry archive gc")(
  function* (input: Input) {
    const json = yield* Json
    const { line, lines } = yield* Output
    const retention = yield* retentionOf(input)
    const report = yield* withProgress({ label: "collecting", units: "records", things: "done" }, (progress) =>
      withCache(
        Maintenance.use((maintenance) =>
          maintenance.gc({ retention, apply: input.apply }, ({ done, of }) =>
            progress.report({ done, of, count: done })
          )
        )
      )
    )
    yield* json ? line(JSON.stringify(report)) : lines(gcLines(report))
  },
  asCommand("archive", "gc")
)

export const command = Command.make("gc", flags, gc).pipe(
  Command.withDescription(
    "Remove old answers to which no row, no coverage and no revision points, with their calls and bytes. Without --apply it only says what would go. What is younger than an hour always stays."
  ),
  Command.withShortDescription("Remove old answers that nothing points to; a dry run first"),
  Command.withExamples([
    { command: "tapestry archive gc --older-than 90d", description: "What would go" },
    { command: "tapestry archive gc --older-than 90d --apply", description: "Remove it" },
    { command: "tapestry archive gc --max-size '20 GiB' --source yahoo --apply", description: "By size, of one vendor" }
  ])
)
