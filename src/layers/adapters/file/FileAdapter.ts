/**
 * A vendor made of files that a catalogue describes.
 *
 * What is archived is a file's bytes as they are on disk; what its rows mean is in the request. `fetch` reads a file only once
 * it can be decoded, and hands the bars over to the `decode` that follows, so that nothing is decoded twice.
 */
import { Clock, Duration, Effect, FileSystem, Option, Path, Result } from "effect"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import {
  type Adapter,
  type Decoding,
  type FetchCapability,
  type MakeAdapter,
  Malformed,
  NotFound,
  Rejected,
  type SeriesQuery,
  Unavailable,
  Unsupported,
  VendorError,
  type VendorErrorReason
} from "../../../services/Adapter.ts"
import type { DecodedRows, DecodeFailure } from "../records/decodeRows.ts"
import { writeRejects } from "../records/writeRejects.ts"
import { decodeFile } from "./decodeFile.ts"
import type { FileEntry, FileVendor } from "./FileCatalogue.ts"
import { listSymbols } from "./FileListing.ts"
import { type FileParams, paramsOf, requestFor } from "./FileRequest.ts"
import { fetchFile } from "./fetchFile.ts"
import { fileLimits } from "./fileLimits.ts"
import { locateRow } from "./locateRow.ts"
import { pingRoots } from "./pingRoots.ts"
import * as Select from "./selectEntry.ts"
import { caseHint, normaliseSymbol, pathFor } from "./symbols.ts"

export type { FileEntry, FileVendor } from "./FileCatalogue.ts"

/** Raised when the same bytes and the same mapping may give other bars than before. */
export const decoderVersion = 1

/** Symbols that a listing gives at most. */
const maxSymbols = 10_000

const malformed = (failure: DecodeFailure): Malformed =>
  new Malformed({ position: failure.position, message: failure.message })

export interface FileAdapterOptions {
  /** Skipped rows are written below it where an entry names no directory of its own. */
  readonly dataDir: string
}

/** The adapter of a checked vendor. It holds nothing open. */
export const make: (
  vendor: FileVendor,
  options: FileAdapterOptions
) => MakeAdapter<never, FileSystem.FileSystem | Path.Path> = Effect.fnUntraced(function* (
  vendor: FileVendor,
  options: FileAdapterOptions
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { entries, name } = vendor
  const because = (reason: VendorErrorReason) => new VendorError({ vendor: name, reason })
  const decoded = new WeakMap<Uint8Array, { readonly key: string; readonly file: DecodedRows }>()

  const listing = (entry: FileEntry, only: string | null, limit: number) =>
    listSymbols(fs, path, entry, { only, limit })

  const series = Effect.fn("FileAdapter.series")(function* (query: SeriesQuery) {
    const fitting = Select.candidates(entries, query)
    if (Result.isFailure(fitting)) return yield* because(new Unsupported({ message: fitting.failure }))
    const having: Array<{ readonly entry: FileEntry; readonly symbol: string }> = []
    for (const entry of fitting.success) {
      const symbol = normaliseSymbol(entry, query.symbol)
      if (symbol === null) {
        return yield* because(new NotFound({ message: `${JSON.stringify(query.symbol)} cannot be a symbol in a path` }))
      }
      // A root that is away says nothing about its symbols; what is stored of them can still be read.
      const has =
        entry.symbols !== null && !entry.symbols.includes(symbol)
          ? false
          : yield* listing(entry, symbol, 1).pipe(
              Effect.map(({ complete, symbols }) => symbols.length > 0 || !complete),
              Effect.orElseSucceed(() => true)
            )
      if (has) having.push({ entry, symbol })
    }
    const [one, another] = having
    if (one === undefined) return yield* unknownSymbol(query.symbol, fitting.success)
    if (another !== undefined) {
      return yield* because(
        new Unsupported({
          message: `several files fit; say which: ${Select.differences(having.map(({ entry }) => entry))}`
        })
      )
    }
    return Select.seriesKey(name, one.entry, one.symbol)
  })

  const unknownSymbol = Effect.fnUntraced(function* (symbol: string, tried: ReadonlyArray<FileEntry>) {
    const places = tried.map((entry) => {
      const spelt = normaliseSymbol(entry, symbol) ?? symbol
      return path.join(entry.root, pathFor(entry, spelt))
    })
    const lists = yield* Effect.forEach(tried, (entry) =>
      listing(entry, null, 5).pipe(
        Effect.map(({ symbols }) => symbols),
        Effect.orElseSucceed((): ReadonlyArray<string> => [])
      )
    )
    const known = Array.from(new Set(lists.flat())).slice(0, 5)
    return yield* because(
      new NotFound({
        message: `no files for symbol ${symbol}; looked for ${places.join(" and ")}; ${
          known.length === 0
            ? `no symbol has files there${caseHint(tried)}`
            : `known are for example ${known.join(", ")}`
        }`
      })
    )
  })

  const entryOf = (decoding: FileParams): FileEntry | null =>
    entries.find((entry) => entry.name === decoding.entry) ?? null

  const paramsFor = (request: Decoding["request"]): Effect.Effect<FileParams, VendorError> =>
    Option.match(paramsOf(request), {
      onNone: () => Effect.fail(because(new Rejected({ message: "the request is not one of a file vendor" }))),
      onSome: (params) => Effect.succeed(params)
    })

  const keyOf = (params: FileParams, start: number, end: number) => `${JSON.stringify(params)} ${start} ${end}`

  const request: FetchCapability["request"] = Effect.fn("FileAdapter.request")(function* (key, range) {
    const entry = Select.entryOf(entries, key)
    if (entry === null) {
      return yield* because(
        new Unsupported({ message: `no files for this series; timeframes offered: ${Select.timeframesOf(entries)}` })
      )
    }
    // A key may come from anywhere, and only the spelling that `series` gives names a series (and stays below the root).
    if (normaliseSymbol(entry, key.symbol) !== key.symbol || entry.symbols?.includes(key.symbol) === false) {
      const message = `${JSON.stringify(key.symbol)} is no symbol of entry ${entry.name}`
      return yield* because(new NotFound({ message }))
    }
    const made = requestFor(entry, key, range)
    if (made === null) {
      return yield* because(
        new Rejected({
          message: `the range lies in several files of entry ${entry.name}; cut it at each ${entry.path.unit ?? "file"}`
        })
      )
    }
    return made
  })

  const fetch: FetchCapability["fetch"] = Effect.fn("FileAdapter.fetch")(function* (asked) {
    const params = yield* paramsFor(asked)
    const entry = entryOf(params)
    if (entry === null) return yield* because(new Rejected({ message: `there is no entry ${params.entry} any more` }))
    const range = { start: Date.parse(params.start), end: Date.parse(params.end) }
    return yield* fetchFile({
      fs,
      path,
      entry,
      params,
      maxFileSize: vendor.maxFileSize,
      check: (body) =>
        decodeFile(body, params, range).pipe(
          Effect.tap((file) =>
            Effect.sync(() => decoded.set(body, { key: keyOf(params, range.start, range.end), file }))
          ),
          Effect.mapError(malformed)
        )
    }).pipe(Effect.mapError(because))
  })

  const decode: FetchCapability["decode"] = Effect.fn("FileAdapter.decode")(function* (payload, decoding) {
    const params = yield* paramsFor(decoding.request)
    const { range } = decoding
    const ready = decoded.get(payload)
    decoded.delete(payload)
    const file =
      ready?.key === keyOf(params, range.start, range.end)
        ? ready.file
        : yield* decodeFile(payload, params, range).pipe(Effect.mapError((failure) => because(malformed(failure))))
    if (file.rejected.length > 0) {
      const directory = entryOf(params)?.rejects ?? path.join(options.dataDir, "rejects", name)
      const text = { file: params.path, start: params.start, end: params.end, from: [JSON.stringify(params), payload] }
      const target = yield* writeRejects(fs, path, directory, text, file.rejected).pipe(
        Effect.mapError((error) =>
          because(new Unavailable({ message: `skipped rows cannot be written to ${directory}: ${error.message}` }))
        )
      )
      yield* Effect.logWarning(`${name}: ${file.rejected.length} rows of ${params.path} skipped; see ${target}`)
    }
    return { ...file, allowNonPositivePrices: params.decoding.allowNonPositivePrices }
  })

  const locate: FetchCapability["locate"] = Effect.fn("FileAdapter.locate")(function* (payload, position, decoding) {
    const params = yield* paramsFor(decoding.request)
    return yield* locateRow(payload, params, position).pipe(Effect.mapError((failure) => because(malformed(failure))))
  })

  const calendar = (key: SeriesKey): string | null => {
    const entry = Select.entryOf(entries, key)
    return entry === null ? vendor.calendar : entry.calendar
  }

  const symbols = Effect.gen(function* () {
    const lists = yield* Effect.forEach(entries, (entry) => listing(entry, null, maxSymbols)).pipe(
      Effect.mapError((error) =>
        because(new Unavailable({ message: `the root ${error.root} cannot be listed: ${error.message}` }))
      )
    )
    return Array.from(new Set(lists.flatMap((list) => list.symbols))).toSorted()
  }).pipe(Effect.withSpan("FileAdapter.symbols"))

  const ping = Effect.gen(function* () {
    const started = yield* Clock.currentTimeMillis
    const { detail, ok } = yield* pingRoots(fs, path, entries)
    const elapsed = Duration.millis((yield* Clock.currentTimeMillis) - started)
    return { ok, elapsed, detail }
  }).pipe(Effect.withSpan("FileAdapter.ping"))

  return {
    name,
    type: "file",
    description: vendor.description,
    account: vendor.account,
    limits: fileLimits(vendor),
    fetch: { series, request, fetch, decode, locate, cost: () => 0, decoderVersion, calendar },
    symbols,
    ping
  } satisfies Adapter
})
