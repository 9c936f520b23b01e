import { Clock, Effect, Exit, FileSystem, Path } from "effect"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { duration } from "../format/Numbers.ts"
import { settings } from "../Settings.ts"
import { withData } from "../withData.ts"
import { failed, ok, warning } from "./Check.ts"

// This was written in 2026: a clock before it is wrong.
const earliest = Date.UTC(2026, 0, 1)

const newestFetch = withData(
  Effect.gen(function* () {
    const archive = yield* ProvenanceStore
    const [newest] = yield* archive.responses({ limit: 1 })
    return newest?.fetchedAt ?? null
  })
)

/**
 * Whether the clock can be right: not before this release, and not before the newest answer in the archive, which would mean
 * that it was set back.
 */
export const checkClock = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  const detail = new Date(now).toISOString()
  if (now < earliest) return [failed("clock", `${detail} is in the past; set the machine's clock`)]
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const found = yield* Effect.exit(settings)
  const stored =
    Exit.isSuccess(found) &&
    (yield* Effect.orElseSucceed(fs.exists(path.join(found.value.dataDir.value, "market.sqlite")), () => false))
  const newest = stored ? yield* Effect.orElseSucceed(newestFetch, () => null) : null
  if (newest !== null && newest > now) {
    return [
      warning("clock", `${detail}, ${duration(newest - now)} behind the newest answer in the archive; was it set back?`)
    ]
  }
  return [ok("clock", detail)]
})
