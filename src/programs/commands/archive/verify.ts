import { Effect, Ref, Stream } from "effect"
import { Command } from "effect/cli"
import { type Damage, ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { counted } from "../../format/Numbers.ts"
import { Output } from "../../terminal/Output.ts"
import { withProgress } from "../../terminal/Progress.ts"
import { oneLine, styleOf } from "../../terminal/Style.ts"
import { withData } from "../../withData.ts"

const sentence = (damage: Damage): string =>
  `${damage.problem}: ${damage.sha256} (${damage.where}), the bytes of response ${damage.responses.join(", ")}`

const hashAll = withProgress({ label: "verifying", units: "payloads", things: "payloads" }, ({ report }) =>
  Effect.gen(function* () {
    const archive = yield* ProvenanceStore
    const { payloads } = yield* archive.stats
    const checked = yield* Ref.make(0)
    const progress = (done: number) =>
      Effect.andThen(Ref.set(checked, done), report({ done, of: payloads, count: done }))
    const bad = yield* Stream.runCollect(archive.verify(progress))
    return { checked: yield* Ref.get(checked), bad }
  })
)

const verify = Effect.fn("tapestry archive verify")(
  function* () {
    const json = yield* Json
    const { line, terminal } = yield* Output
    const style = styleOf(terminal)
    const { checked, bad } = yield* withData(hashAll)
    if (json) yield* line(JSON.stringify({ checked, bad }))
    else {
      for (const damage of bad) yield* line(style.red(oneLine(sentence(damage))))
      yield* line(
        bad.length === 0
          ? `${counted(checked, "payload")} hashed again, all as they came`
          : `${counted(checked, "payload")} hashed again, ${counted(bad.length, "damaged one")}`
      )
    }
    if (bad.length > 0) return yield* new Ended({ code: 1 })
  },
  asCommand("archive", "verify")
)

export const command = Command.make("verify", {}, verify).pipe(
  Command.withDescription(
    "Hash every payload of the archive again and name what is torn or missing; ends with 1 if any is."
  ),
  Command.withShortDescription("Hash everything again and name what is damaged"),
  Command.withExamples([{ command: "tapestry archive verify --json", description: "For a nightly check" }])
)
