import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { ApiConfig } from "../../../../services/ApiConfig.ts"
import { asCommand } from "../../../failure/UsageError.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { Output } from "../../../terminal/Output.ts"
import { withOwner } from "../../../withData.ts"
import { configKey, ifVersionFlag, keyArgument } from "./keyArgument.ts"

const flags = { key: keyArgument, ifVersion: ifVersionFlag }

const unset = Effect.fn("tapestry store config unset")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const { line } = yield* Output
    const key = yield* configKey(input.key)
    const options = Option.isNone(input.ifVersion) ? {} : { ifVersion: input.ifVersion.value }
    const removed = yield* withOwner(
      ApiConfig.use((config) => config.unset(key, options)),
      (client) => client["Store.unsetConfig"]({ key, ...options })
    )
    yield* line(
      (yield* Json) ? JSON.stringify({ key, removed }) : removed ? `${key} is removed` : `there was no value ${key}`
    )
  },
  asCommand("store", "config", "unset")
)

export const command = Command.make("unset", flags, unset).pipe(
  Command.withDescription("Remove a value from the store."),
  Command.withExamples([{ command: "tapestry store config unset alerts/limits" }])
)
