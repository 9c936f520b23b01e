import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { ApiConfig } from "../../../../services/ApiConfig.ts"
import { asCommand } from "../../../failure/UsageError.ts"
import { moment } from "../../../format/ZonedTime.ts"
import { printList } from "../../../terminal/printList.ts"
import { withData } from "../../../withData.ts"
import { configDocument } from "./configDocument.ts"

const flags = {
  prefix: Flag.String("prefix").pipe(
    Flag.withMetavar("TEXT"),
    Flag.withDescription("Only keys that begin with it"),
    Flag.optional
  )
}

const list = Effect.fn("tapestry store config list")(
  function* ({ prefix }: Command.Command.Config.Infer<typeof flags>) {
    const items = yield* withData(
      ApiConfig.use((config) => config.list(Option.isNone(prefix) ? {} : { prefix: prefix.value }))
    )
    yield* printList({
      name: "config",
      items,
      columns: [
        { header: "key", align: "left" },
        { header: "version", align: "right" },
        { header: "set (UTC)", align: "left" },
        { header: "value", align: "left" },
        { header: "description", align: "left" }
      ],
      row: (entry) => [
        entry.key,
        String(entry.version),
        moment(entry.updatedAt),
        JSON.stringify(entry.value),
        entry.description ?? ""
      ],
      document: configDocument,
      none: "no values"
    })
  },
  asCommand("store", "config", "list")
)

export const command = Command.make("list", flags, list).pipe(
  Command.withDescription("The values that the tenant keeps in the store, by key."),
  Command.withShortDescription("The values that the tenant keeps in the store"),
  Command.withExamples([
    { command: "tapestry store config list" },
    { command: "tapestry store config list --prefix alerts/ --tenant acme" }
  ])
)
