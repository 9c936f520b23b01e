/**
 * Imports over the archive and the stores.
 *
 * Responsibilities: a segment is read, then archived, then stored; what cannot be read leaves nothing. Queueing: none of its own: the
 * caller says how many segments are under way, the archive and the store have their queues. Hard cases: a process that dies between the
 * archive and the store leaves a segment that is archived and not stored; importing it again finds its Response and stores it as it was
 * then, so that order and knowledge time are those of the first time. */
import { createHash } from "node:crypto"
import { Clock, Effect, Layer, Option, Result, Scope, Stream } from "effect"
import type { RequestIdentity } from "../../domain/Request.ts"
import { bareMetadata, type Response } from "../../domain/Response.ts"
import type { RecordKind, RecordOf, RecordSeries } from "../../domain/records/RecordKind.ts"
import { canonical, parse, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { SessionId } from "../../domain/Session.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import {
  type ImportSegment,
  type ImportSpec,
  Imports,
  ImportsError,
  type SegmentReport,
  UnreadableText,
  VendorNotOurs
} from "../../services/Imports.ts"
import { MarketStore, type MarketStoreError } from "../../services/MarketStore.ts"
import { ProvenanceStore, type ProvenanceStoreError, type ReplayedResponse } from "../../services/ProvenanceStore.ts"
import { RecordStore } from "../../services/RecordStore.ts"
import * as ImportedAdapter from "../adapters/imported/ImportedAdapter.ts"
import { recordsText } from "../export/RecordsText.ts"
import { segmentBars } from "../recording/segmentBars.ts"
import { archivedSegment, importDecoderVersion } from "./archivedSegment.ts"
import { makeCheck, type Wanted, wantedOf } from "./checkImports.ts"
import type { ImportStores } from "./compareImports.ts"
import { decodedRows } from "./decodedRows.ts"
import { type DecodedSegment, decodeSegment } from "./decodeSegment.ts"
import { explainRecords } from "./explainRecord.ts"
import { makeForgotten, removedAfter } from "./forgotten.ts"
import { importCoverage } from "./importCoverage.ts"
import { importSource } from "./importedLine.ts"
import { plainSpec } from "./plainSpec.ts"
import { barsOfCall, recordAnswers, recordCommit, replayed, seriesOfCall } from "./recordAnswers.ts"

const identityOf = (spec: ImportSpec, { bytes, line, offset }: ImportSegment): RequestIdentity => ({
  source: importSource,
  kind: `import.${spec.kind}`,
  method: "COMMAND",
  params: { ...spec, line, offset, sha256: createHash("sha256").update(bytes).digest("hex") },
  body: null,
  bucket: null,
  cacheTag: null
})

const asError = (error: ImportsError | ImportsError["reason"]): ImportsError =>
  error._tag === "ImportsError" ? error : new ImportsError({ reason: error })
const asImportsError = Effect.mapError(asError)

const pageSessions = 1_000

type GivenRows = Parameters<Imports["Service"]["rows"]>[1]

/** Of the canonical text of a series. */
const vendorOf = (series: string): string | null => {
  const key = parse(series)
  return Result.isSuccess(key) ? key.success.vendor : null
}

const make = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const market = yield* MarketStore
  const records = yield* RecordStore

  const registry = yield* AdapterRegistry
  const scope = yield* Effect.scope

  const registerImported = (vendor: string) =>
    registry.register(Effect.succeed(ImportedAdapter.make(vendor))).pipe(Scope.provide(scope), Effect.ignore)

  /**
   * So that what was imported can be named and read. Who has answered once is a vendor that is not configured any more, and stays
   * unknown.
   */
  const registered = new Set(yield* registry.list)
  const unknown = (yield* records.vendors).filter((vendor) => !registered.has(vendor))
  const answered = new Set(unknown.length === 0 ? [] : (yield* archive.subjects).map(vendorOf))
  for (const vendor of unknown) if (!answered.has(vendor)) yield* registerImported(vendor)

  const vendorsOf = ({ series }: DecodedSegment) => new Set(series.map(({ series: { vendor } }) => vendor))

  const refuseAsked = Effect.fnUntraced(function* (vendors: Iterable<string>) {
    for (const vendor of vendors) {
      const found = yield* Effect.option(registry.resolve(vendor))
      if (Option.isNone(found)) yield* registerImported(vendor)
      else if (found.value.storedOnly !== true) return yield* new VendorNotOurs({ vendor })
    }
  })

  const archived = Effect.fnUntraced(function* (session: SessionId, spec: ImportSpec, segment: ImportSegment) {
    const identity = identityOf(spec, segment)
    const known = yield* archive.newest(yield* archive.identify(identity))
    if (known !== null) return { response: known, known: true }
    const cacheMode = { _tag: "bypass" } as const
    const request = yield* archive.openRequest({ session, identity, subject: null, cacheMode })
    const askedAt = yield* Clock.currentTimeMillis
    const response = yield* archive.append({
      request,
      attempt: 1,
      askedAt,
      status: "ok",
      body: segment.bytes,
      metadata: bareMetadata,
      cause: null,
      waited: 0
    })
    return { response, known: false }
  })

  /** Who imports or records again what was removed wants it back, also when the store is made anew. */
  const recall = Effect.fnUntraced(function* (series: ReadonlyArray<SeriesKey>) {
    for (const key of series) {
      if ((yield* removedAfter({ archive }, key, false)) !== null) {
        yield* archive.recordOperation(canonical(key), { _tag: "Recalled" })
      }
    }
  })

  const stores: ImportStores = { market, records }

  const storeIn = (
    { market, records }: ImportStores,
    { kind, nulls }: ImportSpec,
    series: DecodedSegment["series"],
    response: Response
  ) => {
    const answer = {
      response: response.id,
      askedAt: response.askedAt,
      fetchedAt: response.fetchedAt,
      decoderVersion: importDecoderVersion,
      nulls
    }
    if (kind === "bar") {
      return market.commitAll(
        series.map(({ bars, positions, series: key }) => ({
          ...answer,
          series: key,
          bars,
          positions,
          coverage: key.timeframe === null ? [] : importCoverage(key.timeframe, bars, response.id, response.askedAt),
          allowNonPositivePrices: true
        }))
      )
    }
    return records.commitAll(
      series.map(({ positions, records: rows, series: key }) => ({
        ...answer,
        // A segment has rows of one kind, and its series are of that kind.
        series: key as RecordSeries,
        rows: rows as ReadonlyArray<RecordOf<RecordKind>>,
        positions,
        coverage: []
      }))
    )
  }

  /** Archives a segment and stores what was read of it. */
  const settled = Effect.fnUntraced(function* (
    session: SessionId,
    spec: ImportSpec,
    given: ImportSegment,
    decoded: DecodedSegment
  ) {
    const { known: again, response } = yield* archived(session, spec, given)
    if (again) yield* recall(decoded.series.map(({ series }) => series))
    const results = yield* storeIn(stores, spec, decoded.series, response)
    const sum = (of: "inserted" | "updated" | "unchanged") => results.reduce((total, result) => total + result[of], 0)
    const report: SegmentReport = {
      response: response.id,
      known: results.length > 0 && results.every(({ alreadyApplied }) => alreadyApplied),
      rows: decoded.rows,
      inserted: sum("inserted"),
      updated: sum("updated"),
      unchanged: sum("unchanged"),
      rejected: decoded.rejected
    }
    return report
  })

  const segment = Effect.fn("Imports.segment")(function* (
    session: SessionId,
    spec: ImportSpec,
    given: ImportSegment,
    turn: Effect.Effect<void> = Effect.void
  ) {
    const decoded = yield* decodeSegment(spec, given.bytes, given.line)
    yield* turn
    yield* refuseAsked(vendorsOf(decoded))
    return yield* settled(session, spec, given, decoded)
  }, asImportsError)

  const rows = Effect.fn("Imports.rows")(function* (session: SessionId, given: GivenRows) {
    const { batches, kind, name, offset } = given
    const decoded = yield* Effect.fromResult(decodedRows(kind, batches))
    // What a configured vendor streams is its own; bars are what a rebuild would take out of its series again.
    if (kind === "bar") yield* refuseAsked(vendorsOf(decoded))
    const written = recordsText(kind, "ndjson")
    const text = batches.map((batch) => written.rows(batch.series, batch.rows)).join("")
    const bytes = new TextEncoder().encode(text)
    return yield* settled(session, { ...plainSpec, name, kind }, { offset, line: 1, bytes }, decoded)
  }, asImportsError)

  /** A vendor that was configured since keeps what it streamed; of bars a rebuild would take them out of its series again. */
  const refuseAgain = Effect.fnUntraced(function* (spec: ImportSpec, decoded: DecodedSegment) {
    if (spec.kind === "bar") return yield* refuseAsked(vendorsOf(decoded))
    for (const vendor of vendorsOf(decoded)) {
      if (Option.isNone(yield* Effect.option(registry.resolve(vendor)))) yield* registerImported(vendor)
    }
  })

  const again = Effect.fnUntraced(
    function* (
      into: ImportStores,
      wanted: Wanted,
      forgotten: ReturnType<typeof makeForgotten>,
      { bytes, call, response }: ReplayedResponse
    ) {
      const request = yield* archive.request(call)
      const payload = yield* bytes
      const streamed = seriesOfCall(request)
      if (streamed !== null && !wanted(streamed)) return null
      if (!(payload instanceof Uint8Array)) return { rows: 0, inserted: 0, problem: "it has no bytes, or too many" }
      if (streamed !== null) {
        if (yield* forgotten(streamed, response.id)) return { rows: 0, inserted: 0, problem: null }
        const commit = yield* recordCommit(registry, streamed, request, response, payload)
        const { inserted } = yield* into.records.commit(commit)
        return { rows: commit.rows.length, inserted, problem: null }
      }
      const bars = barsOfCall(request)
      if (bars !== null) {
        if (yield* forgotten(bars, response.id)) return { rows: 0, inserted: 0, problem: null }
        yield* recall([bars])
        const { commit } = yield* segmentBars(bars, bars.timeframe, request.params, response, payload)
        const { inserted } = yield* into.market.commit(commit)
        return { rows: commit.bars.length, inserted, problem: null }
      }
      const { decoded, spec } = yield* archivedSegment(request.params, payload)
      const meant = decoded.series.filter((one) => wanted(one.series))
      if (meant.length === 0 && decoded.series.length > 0) return null
      yield* refuseAgain(spec, { ...decoded, series: meant })
      const series = yield* Effect.filter(meant, (one) =>
        Effect.map(forgotten(one.series, response.id), (gone) => !gone)
      )
      const results = yield* storeIn(into, spec, series, response)
      const rows = meant.reduce((sum, { bars, records }) => sum + bars.length + records.length, 0)
      return { rows, inserted: results.reduce((sum, { inserted }) => sum + inserted, 0), problem: null }
    },
    Effect.catchIf(
      (error) => error._tag !== "MarketStoreError",
      ({ message }) => Effect.succeed({ rows: 0, inserted: 0, problem: message })
    )
  )

  const sessions = Stream.paginate<number | undefined, number, ProvenanceStoreError>(undefined, (before) =>
    Effect.map(archive.sessions({ limit: pageSessions, ...(before === undefined ? {} : { before }) }), (page) => [
      page.filter(({ source }) => source === importSource).map(({ id }) => Number(id)),
      page.length < pageSessions ? Option.none() : Option.some(page.at(-1)?.id)
    ])
  )

  const replayInto = (into: ImportStores, wanted: Wanted, ever: boolean) => {
    const forgotten = makeForgotten({ archive, market }, ever)
    return Stream.unwrap(
      Effect.map(Stream.runCollect(sessions), (ids) =>
        // Listed newest first.
        Stream.fromArray([...ids].reverse())
      )
    ).pipe(
      Stream.flatMap((id) => archive.replay({ of: { _tag: "Session", id }, withBytes: true })),
      Stream.concat(recordAnswers(archive, wanted)),
      Stream.mapEffect((one) =>
        Effect.map(again(into, wanted, forgotten, one), (done) =>
          done === null ? null : { response: one.response.id, ...done }
        )
      ),
      Stream.filter((done) => done !== null),
      Stream.mapError(asError)
    )
  }

  const project = Effect.fn("Imports.project")(function* (response: Response["id"]) {
    const forgotten = makeForgotten({ archive, market }, false)
    const done = yield* again(stores, () => true, forgotten, yield* replayed(archive, response))
    const { inserted, problem, rows } = done ?? { inserted: 0, problem: null, rows: 0 }
    if (problem !== null) return yield* new UnreadableText({ line: null, message: `response ${response}: ${problem}` })
    return { rows, inserted }
  }, asImportsError)

  const check = yield* makeCheck({ stores, registry, replayInto })

  return Imports.of({
    replay: (of = {}) => Stream.suspend(() => replayInto(stores, wantedOf(of), false)),
    check,
    explain: Effect.fn("Imports.explain")(
      (series, at, options) => explainRecords(archive, records, series, at, options),
      asImportsError
    ),
    begin: asImportsError(archive.openSession({ source: importSource, mode: "batch", asOf: null })).pipe(
      Effect.withSpan("Imports.begin")
    ),
    segment,
    rows,
    project,
    end: Effect.fn("Imports.end")(
      (session, outcome, reason) => archive.closeSession(session, outcome, reason),
      asImportsError
    )
  })
})

export const layer: Layer.Layer<
  Imports,
  MarketStoreError | ProvenanceStoreError,
  ProvenanceStore | MarketStore | RecordStore | AdapterRegistry
> = Layer.effect(Imports, make)
