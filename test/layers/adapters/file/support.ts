import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, FileSystem, Path } from "effect"
import type { TimeRange } from "../../../../src/domain/TimeRange.ts"
import * as FileAdapter from "../../../../src/layers/adapters/file/FileAdapter.ts"
import * as TapestryConfig from "../../../../src/layers/config/TapestryConfig.ts"
import type { Adapter, SeriesQuery } from "../../../../src/services/Adapter.ts"
import { beginningOf } from "../../../../src/services/PayloadDraft.ts"

export const platform = NodeServices.layer

export const utc = (text: string): number => Date.parse(text)
export const between = (start: string, end: string): TimeRange => ({ start: utc(start), end: utc(end) })

/** The fetch capability, which every file vendor has. */
export const fetcher = (adapter: Adapter) =>
  adapter.fetch === undefined ? Effect.die("a file vendor without fetch") : Effect.succeed(adapter.fetch)

/** A directory with these files, gone when the scope closes; paths are relative to it. */
export const filesIn = Effect.fnUntraced(function* (files: Readonly<Record<string, string | Uint8Array>>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-files-" })
  yield* Effect.forEach(Object.entries(files), ([name, content]) =>
    Effect.gen(function* () {
      const file = path.join(root, name)
      yield* fs.makeDirectory(path.dirname(file), { recursive: true })
      yield* typeof content === "string" ? fs.writeFileString(file, content) : fs.writeFile(file, content)
    })
  )
  return root
})

/** The vendors of a YAML text whose relative paths start from `directory`, by name. */
export const vendorsOf = Effect.fnUntraced(function* (directory: string, yaml: string) {
  const path = yield* Path.Path
  const config = yield* Effect.fromResult(
    TapestryConfig.decode(path.join(directory, "tapestry.yaml"), yaml, path)
  ).pipe(Effect.orDie)
  return yield* Effect.forEach(config.vendors, (vendor) =>
    vendor.adapter === "file"
      ? FileAdapter.make(vendor, { dataDir: path.join(directory, ".tapestry") })
      : Effect.die(`${vendor.name} is no vendor of files`)
  )
})

/** The one vendor of a YAML text. */
export const vendorOf = Effect.fnUntraced(function* (directory: string, yaml: string) {
  const [adapter] = yield* vendorsOf(directory, yaml)
  return adapter === undefined ? yield* Effect.die("no vendor in the YAML") : adapter
})

/** Series, request, fetch and decode, one after the other. */
export const ask = Effect.fnUntraced(function* (adapter: Adapter, query: Omit<SeriesQuery, "kind">, range: TimeRange) {
  const capability = yield* fetcher(adapter)
  const series = yield* capability.series({ kind: "bar", ...query })
  const request = yield* capability.request(series, range)
  const answer = yield* capability.fetch(request)
  const decoding = { series, range, request }
  const decoded = yield* capability.decode(beginningOf(answer.body), decoding)
  return {
    ...decoded,
    answer,
    decoding,
    locate: (position: number) => capability.locate(beginningOf(answer.body), position, decoding)
  }
})
