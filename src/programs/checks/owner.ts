import { Clock, Effect, Exit } from "effect"
import { duration } from "../format/Numbers.ts"
import { settings } from "../Settings.ts"
import { ok, warning } from "./Check.ts"

/** Who fetches for the data directory, if anybody does. */
export const checkOwner = Effect.gen(function* () {
  const found = yield* Effect.exit(settings)
  if (Exit.isFailure(found)) return []
  const { find } = yield* Effect.promise(() => import("../../layers/owner/OwnerLock.ts"))
  const owner = yield* Effect.result(find(found.value.dataDir.value))
  // Without a right to write there, nobody can own it from here; the data directory's own check says so.
  if (owner._tag === "Failure") return [warning("owner", owner.failure.message)]
  if (owner.success === null) return [ok("owner", "none; the next command that fetches becomes it")]
  const { details } = owner.success
  if (details === null) return [warning("owner", "a process that has not said who it is; it may just be starting")]
  const who = `process ${details.pid} (release ${details.product}), for ${duration((yield* Clock.currentTimeMillis) - details.startedAt)}`
  return [ok("owner", details.socket === null ? `${who}; it serves nobody` : `${who}, at ${details.socket}`)]
})
