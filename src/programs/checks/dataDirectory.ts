import { Cause, Effect, Exit, FileSystem } from "effect"
import { setAside } from "../../layers/maintenance/setAside.ts"
import { MarketStore } from "../../services/MarketStore.ts"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { documentOf } from "../failure/Failure.ts"
import { bytes, counted } from "../format/Numbers.ts"
import { holdsData } from "../holdsData.ts"
import { settings } from "../Settings.ts"
import { withData } from "../withData.ts"
import { failed, ok, warning } from "./Check.ts"

const contents = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const store = yield* MarketStore
  const stats = yield* archive.stats
  const series = yield* store.series
  const rows = series.reduce((sum, one) => sum + one.rows, 0)
  return [
    counted(series.length, "series", "series"),
    counted(rows, "row"),
    `${counted(stats.responses, "response")} in ${bytes(stats.payloadBytes)}`,
    `archive schema ${stats.schemaVersion}`
  ].join(", ")
})

/** Whether the data directory is there, can be written, and its databases open. */
export const checkDataDirectory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const found = yield* Effect.exit(settings)
  // What is wrong with the settings is another check's to say.
  if (Exit.isFailure(found)) return []
  const directory = found.value.dataDir.value
  const there = yield* Effect.exit(holdsData(directory))
  if (Exit.isFailure(there)) return [failed("data directory", documentOf(there.cause).error.message)]
  const aside = (yield* setAside(directory)).map((one) =>
    warning(
      "data directory",
      there.value
        ? `an earlier one is still in ${one}, set aside by a restore; remove it when you need nothing of it`
        : `what a restore that was broken off has replaced is in ${one}: restore again, or rename it to ${directory}`
    )
  )
  if (!there.value) {
    return [ok("data directory", `${directory} holds nothing yet; it is made by the first fetch`), ...aside]
  }
  const exit = yield* Effect.exit(withData(contents))
  if (Exit.isFailure(exit)) {
    if (Cause.hasInterrupts(exit.cause)) return yield* Effect.interrupt
    return [failed("data directory", documentOf(exit.cause).error.message), ...aside]
  }
  const writable = yield* Effect.isSuccess(fs.access(directory, { writable: true }))
  return [
    writable
      ? ok("data directory", `${directory}: ${exit.value}`)
      : warning(
          "data directory",
          `${directory}: ${exit.value}; it cannot be written by this user, so nothing can be fetched`
        ),
    ...aside
  ]
})
