import { Effect } from "effect"
import { Command } from "effect/cli"
import { ApiConfig } from "../../../../services/ApiConfig.ts"
import { Ended } from "../../../failure/Ended.ts"
import { asCommand } from "../../../failure/UsageError.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { Output } from "../../../terminal/Output.ts"
import { withData } from "../../../withData.ts"
import { configDocument } from "./configDocument.ts"
import { configKey, keyArgument } from "./keyArgument.ts"

const get = Effect.fn("tapestry store config get")(
  function* ({ key: text }: { readonly key: string }) {
    const { line, note } = yield* Output
    const key = yield* configKey(text)
    const found = yield* withData(ApiConfig.use((config) => config.get(key)))
    if (yield* Json) yield* line(JSON.stringify({ config: found === null ? null : configDocument(found) }))
    else if (found !== null) yield* line(JSON.stringify(found.value))
    if (found !== null) return
    yield* note(`there is no value ${key}`)
    return yield* new Ended({ code: 1 })
  },
  asCommand("store", "config", "get")
)

export const command = Command.make("get", { key: keyArgument }, get).pipe(
  Command.withDescription("A value, as JSON. Where there is none the command says so and ends with 1."),
  Command.withShortDescription("A value, as JSON"),
  Command.withExamples([{ command: "tapestry store config get alerts/limits" }])
)
