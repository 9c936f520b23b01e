/** Exports of a model vendor's series over a data directory of their own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { afterAll } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import * as ArchiveCheck from "../../../src/layers/export/ArchiveCheck.ts"
import type { ExportFormat } from "../../../src/layers/export/Manifest.ts"
import { verifyExport } from "../../../src/layers/export/verifyExport.ts"
import { type WriteExportOptions, writeExport } from "../../../src/layers/export/writeExport.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { between, fresh, utc } from "../stitching/support.ts"

export const formats: ReadonlyArray<ExportFormat> = ["csv", "ndjson", "arrow"]

const directories: Array<string> = []
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

/** A directory that is removed when the test file is done. */
export const scratch = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "tapestry-export-"))
  directories.push(directory)
  return directory
}

export const vendor = ModelVendor.make()
export const noon = utc("2024-03-06T12:00:00Z")
export const day = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")

const files = Layer.merge(NodeFileSystem.layer, NodePath.layer)

/** Runs a test over all services, at noon of 6 March 2024. */
export const over = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.andThen(TestClock.setTime(noon), effect).pipe(Effect.provide(fresh(vendor.adapter)), Effect.provide(files))

export const withFiles = Effect.provide(files)

export const answerOf = (symbol: string, range: TimeRange = day, timeframe: "1h" | "1m" = "1h") =>
  StitchingCache.use((cache) =>
    cache.read({ series: vendor.series(symbol, timeframe), range }, { onMissing: "partial" })
  )

export const write = (options: Omit<WriteExportOptions, "product">) => writeExport({ ...options, product: "test" })

export const verifyAlone = (directory: string) => verifyExport({ directory, against: null })

export const verifyWithArchive = (directory: string) =>
  Effect.flatMap(ArchiveCheck.make, (against) => verifyExport({ directory, against }))

/** The files of a directory by name. */
export const contents = (directory: string): ReadonlyMap<string, Buffer> =>
  new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]))
