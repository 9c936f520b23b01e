import { Effect, Exit, FileSystem, Path } from "effect"
import { documentOf } from "../failure/Failure.ts"
import { counted } from "../format/Numbers.ts"
import { settings } from "../Settings.ts"
import { failed, ok } from "./Check.ts"

/** Whether the log of spent budget can be read: without it nothing is fetched. */
export const checkQuota = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const found = yield* Effect.exit(settings)
  if (Exit.isFailure(found)) return []
  const file = path.join(found.value.dataDir.value, "quota.sqlite")
  if (!(yield* Effect.orElseSucceed(fs.exists(file), () => false))) return []
  const [{ inspect }, { unavailable }] = yield* Effect.promise(() =>
    Promise.all([import("../../layers/quota/SpentLog.ts"), import("../../layers/quota/quotaErrors.ts")])
  )
  const entries = yield* Effect.exit(Effect.scoped(Effect.mapError(inspect(file), unavailable)))
  return Exit.isFailure(entries)
    ? [failed("quota", documentOf(entries.cause).error.message)]
    : [ok("quota", `${file}: ${counted(entries.value, "entry", "entries")} of spent budget`)]
})
