import { Effect } from "effect"
import { Command } from "effect/cli"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { bytes, grouped } from "../../format/Numbers.ts"
import { render } from "../../format/Table.ts"
import { Output } from "../../terminal/Output.ts"
import { withData } from "../../withData.ts"

const stats = Effect.fn("tapestry archive stats")(
  function* () {
    const json = yield* Json
    const { line, lines } = yield* Output
    const stats = yield* withData(ProvenanceStore.use((archive) => archive.stats))
    if (json) return yield* line(JSON.stringify(stats))
    const [, ...rows] = render(
      [
        { header: "", align: "left" },
        { header: "", align: "right" }
      ],
      [
        ["sessions", grouped(stats.sessions)],
        ["requests", grouped(stats.requests)],
        ["  answered from the archive", grouped(stats.hits)],
        ["responses", grouped(stats.responses)],
        ["  failed ones", grouped(stats.failedResponses)],
        ["payloads", grouped(stats.payloads)],
        ["  their bytes", bytes(stats.payloadBytes)],
        ["  saved by sharing equal ones", bytes(stats.dedupedBytes)],
        ["  as they are kept", bytes(stats.storedBytes)],
        ["database", bytes(stats.databaseBytes)],
        ["schema version", String(stats.schemaVersion)]
      ]
    )
    yield* lines(rows)
  },
  asCommand("archive", "stats")
)

export const command = Command.make("stats", {}, stats).pipe(
  Command.withDescription("How much the archive holds."),
  Command.withExamples([{ command: "tapestry archive stats" }])
)
