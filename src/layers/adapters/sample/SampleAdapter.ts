/**
 * The vendor `sample`: 5,105 days of the S&P 500 from the npm package vega-datasets (BSD-3), so that there is real input
 * without any account. It is the file adapter with an entry of its own and nothing else.
 */
import { fileURLToPath } from "node:url"
import { Effect, FileSystem, Path } from "effect"
import type { MakeAdapter } from "../../../services/Adapter.ts"
import * as FileAdapter from "../file/FileAdapter.ts"
import type { FileVendorSpec } from "../file/FileCatalogue.ts"
import { resolveVendor } from "../file/resolveVendor.ts"

export const name = "sample"
export const symbol = "SPX"
const file = "sp500-2000.csv"
const maxFileSize = 1_048_576

/** Where the file may be: beside the bundle, in the built package, in a checkout. The first that has it is taken. */
const directories: ReadonlyArray<string> = [
  "./sample/",
  "../../../sample/",
  "../../../../sample/",
  "../../../../node_modules/vega-datasets/data/"
].map((relative) => fileURLToPath(new URL(relative, import.meta.url)))

const catalogue: FileVendorSpec = {
  adapter: "file",
  description: "S&P 500, daily, 2000-01-03 to 2020-04-17, from the npm package vega-datasets",
  path: file,
  symbols: [symbol],
  timeframe: "1d",
  columns: { ts: "date" },
  session: "regular",
  currency: "USD",
  adjustment: "raw"
}

/** The adapter; where the file is missing it is made all the same and says so when it is asked. */
export const make: MakeAdapter<never, FileSystem.FileSystem | Path.Path> = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const found = yield* Effect.findFirst(directories, (directory) =>
    fs.exists(path.join(directory, file)).pipe(Effect.orElseSucceed(() => false))
  )
  const root = found._tag === "Some" ? found.value : (directories[0] ?? "sample")
  const vendor = yield* Effect.fromResult(
    resolveVendor(name, { ...catalogue, root }, { baseDir: root, path, payloadLimit: maxFileSize, calendars: [] })
  ).pipe(Effect.orDie)
  return yield* FileAdapter.make(vendor, { dataDir: root })
})
