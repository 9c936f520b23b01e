/** A process of its own that opens an archive, reads it, tries to write, and prints what came of each as JSON. */
import { Effect, Result } from "effect"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { archive, withArchive } from "./archive.ts"

const [directory = "", mode = "", sha256 = ""] = process.argv.slice(2)

const outcome = <A, E extends { readonly reason: { readonly _tag: string }; readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
) =>
  Effect.map(Effect.result(effect), (result) =>
    Result.isSuccess(result)
      ? { tag: "ok", message: "" }
      : { tag: result.failure.reason._tag, message: result.failure.message }
  )

const program = outcome(
  Effect.gen(function* () {
    const store = yield* ProvenanceStore
    const sessions = yield* store.sessions({ limit: 10 })
    const payload = yield* outcome(store.payload(sha256))
    const write = yield* outcome(archive({ written: true }, new Uint8Array(5)))
    console.log(JSON.stringify({ sessions: sessions.map(({ outcome }) => outcome), payload, write }))
  }).pipe(withArchive({ directory, readonly: mode === "readonly" }))
)

console.log(JSON.stringify(await Effect.runPromise(program)))
