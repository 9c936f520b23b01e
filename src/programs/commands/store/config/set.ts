import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ApiConfig, type SetConfigOptions } from "../../../../services/ApiConfig.ts"
import { asCommand } from "../../../failure/UsageError.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { Output } from "../../../terminal/Output.ts"
import { withOwner } from "../../../withData.ts"
import { configDocument } from "./configDocument.ts"
import { configKey, ifVersionFlag, keyArgument } from "./keyArgument.ts"

const flags = {
  key: keyArgument,
  value: Argument.String("value").pipe(Argument.withDescription("JSON; what is none is taken as text")),
  text: Flag.Boolean("text").pipe(
    Flag.withDescription("The value is text, whatever it looks like"),
    Flag.withDefault(false)
  ),
  description: Flag.String("description").pipe(
    Flag.withMetavar("TEXT"),
    Flag.withDescription("What it is for; stays as it is unless given"),
    Flag.optional
  ),
  ifVersion: ifVersionFlag
}

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))

const set = Effect.fn("tapestry store config set")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const { line } = yield* Output
    const key = yield* configKey(input.key)
    const value = input.text ? input.value : Option.getOrElse(decodeJson(input.value), () => input.value)
    const options: SetConfigOptions = {
      ...(Option.isNone(input.description) ? {} : { description: input.description.value }),
      ...(Option.isNone(input.ifVersion) ? {} : { ifVersion: input.ifVersion.value })
    }
    const entry = yield* withOwner(
      ApiConfig.use((config) => config.set(key, value, options)),
      (client) => client["Store.setConfig"]({ key, value, ...options })
    )
    yield* line(
      (yield* Json)
        ? JSON.stringify({ config: configDocument(entry) })
        : `${key} is ${JSON.stringify(entry.value)}, version ${entry.version}`
    )
  },
  asCommand("store", "config", "set")
)

export const command = Command.make("set", flags, set).pipe(
  Command.withDescription(
    "Keep a value in the store, in place of the one that is there. The same again changes nothing. With --if-version nobody's change is written over."
  ),
  Command.withShortDescription("Keep a value in the store"),
  Command.withExamples([
    { command: `tapestry store config set alerts/limits '{"staleMinutes":15}' --description 'for the night shift'` },
    { command: "tapestry store config set desk/owner anna --if-version 0", description: "Only where there is none" }
  ])
)
