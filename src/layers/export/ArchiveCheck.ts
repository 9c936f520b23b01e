/** An export against the archive that its rows came from: do the answers exist, are their bytes the same, and the rows in them. */
import { Cause, Effect, Result } from "effect"
import { isRecordedBars } from "../../domain/recordedBars.ts"
import { isRecordSeries, type RecordSeries } from "../../domain/records/RecordKind.ts"
import { canonical, parse } from "../../domain/SeriesKey.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { decoderFor } from "../../services/decoders.ts"
import { ProvenanceStore, type ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import { archivedSegment, importDecoderVersion } from "../imports/archivedSegment.ts"
import { importSource } from "../imports/importedLine.ts"
import { recordCommit } from "../imports/recordAnswers.ts"
import { fetcherOf } from "../recording/RecordedBars.ts"
import { ExportError } from "./ExportError.ts"
import type { ExportedSeries, ExportReceipt } from "./Manifest.ts"
import type { RowKind } from "./RowKind.ts"

/** The rows of an answer as its bytes decode now, by what tells them apart. */
export type DecodedRows<Row> = ReadonlyMap<string, ReadonlyArray<{ readonly row: Row; readonly position: number }>>

/** What was found about an answer: what is wrong with it, or what kept it from being checked. */
export type Found<A> =
  | { readonly _tag: "Value"; readonly value: A }
  | { readonly _tag: "Problem"; readonly message: string }
  | { readonly _tag: "Unchecked"; readonly message: string }

export interface ArchiveCheck {
  /** The answer is in the archive as the receipt says, with its bytes whole. */
  readonly receipt: (receipt: ExportReceipt) => Effect.Effect<Found<null>, ExportError>
  readonly rows: <Row>(
    kind: RowKind<Row>,
    entry: ExportedSeries,
    receipt: ExportReceipt
  ) => Effect.Effect<Found<DecodedRows<Row>>, ExportError>
}

const byKey = <Row>(
  kind: RowKind<Row>,
  rows: ReadonlyArray<Row>,
  positions: ReadonlyArray<number>
): DecodedRows<Row> => {
  const found = new Map<string, Array<{ readonly row: Row; readonly position: number }>>()
  for (const [index, row] of rows.entries()) {
    const key = kind.keyOf(row)
    const one = { row, position: positions[index] ?? -1 }
    const alike = found.get(key)
    if (alike === undefined) found.set(key, [one])
    else alike.push(one)
  }
  return found
}

const value = <A>(found: A): Found<A> => ({ _tag: "Value", value: found })
const problem = (message: string): Found<never> => ({ _tag: "Problem", message })
const unchecked = (message: string): Found<never> => ({ _tag: "Unchecked", message })

/** What is missing or torn is found; an archive that cannot be read is an error. */
const finding = <A>(effect: Effect.Effect<Found<A>, ProvenanceStoreError>): Effect.Effect<Found<A>, ExportError> =>
  Effect.catch(effect, (error): Effect.Effect<Found<A>, ExportError> => {
    switch (error.reason._tag) {
      case "RecordNotFound":
      case "PayloadDamaged":
        return Effect.succeed(problem(error.message))
      case "PayloadTooLarge":
        return Effect.succeed(unchecked(error.message))
      default:
        return Effect.fail(new ExportError({ reason: error }))
    }
  })

export const make = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const registry = yield* AdapterRegistry

  const receipt: ArchiveCheck["receipt"] = (told) =>
    finding(
      Effect.gen(function* () {
        const name = `response ${told.response}`
        const response = yield* archive.response(told.response)
        if (response.sha256 !== told.sha256) {
          return problem(`${name} of the archive has sha256 ${response.sha256}, and the export's ${told.sha256}`)
        }
        if (response.identity !== told.identity) return problem(`${name} of the archive answers another request`)
        if (new Date(response.fetchedAt).toISOString() !== told.fetchedAt) {
          return problem(`${name} of the archive was fetched at another time than the export says`)
        }
        // Verified against its name while it is read.
        if (response.sha256 !== null) yield* archive.payload(response.sha256)
        return value(null)
      })
    )

  const olderDecoder = (told: ExportReceipt, version: number) =>
    unchecked(
      `response ${told.response} is not decoded again: its rows were read by decoder version ${told.decoderVersion}, and this release has ${version}`
    )

  /** Rows that came from a file. */
  const imported = Effect.fnUntraced(function* <Row>(kind: RowKind<Row>, entry: ExportedSeries, told: ExportReceipt) {
    const name = `response ${told.response}`
    if (told.decoderVersion !== importDecoderVersion) return olderDecoder(told, importDecoderVersion)
    const response = yield* archive.response(told.response)
    const request = yield* archive.request(response.request)
    if (response.sha256 === null) return problem(`${name} has no rows in the archive`)
    const payload = yield* archive.payload(response.sha256)
    const read = yield* Effect.result(archivedSegment(request.params, payload))
    if (Result.isFailure(read)) return problem(`${name} cannot be decoded again: ${read.failure.message}`)
    const { decoded, spec } = read.success
    if (spec.nulls === "keep") {
      return unchecked(`${name} is not decoded again: its rows were put together with what was stored (--nulls keep)`)
    }
    const of = decoded.series.find(({ series }) => canonical(series) === entry.series)
    return value(of === undefined ? byKey(kind, [], []) : byKey(kind, kind.among(of), of.positions))
  })

  /** Records of a vendor: of a recorded stream, or of its history. */
  const streamed = Effect.fnUntraced(function* <Row>(kind: RowKind<Row>, series: RecordSeries, told: ExportReceipt) {
    const name = `response ${told.response}`
    const response = yield* archive.response(told.response)
    const request = yield* archive.request(response.request)
    if (response.sha256 === null) return problem(`${name} has no rows in the archive`)
    const payload = yield* archive.payload(response.sha256)
    const read = yield* Effect.result(recordCommit(registry, series, request, response, payload))
    if (Result.isFailure(read)) return problem(`${name} cannot be decoded again: ${read.failure.message}`)
    const { decoderVersion, positions, rows } = read.success
    if (decoderVersion !== told.decoderVersion) return olderDecoder(told, decoderVersion)
    return value(byKey(kind, kind.among({ bars: [], records: rows }), positions))
  })

  /** Rows that a vendor sent. */
  const fetched = Effect.fnUntraced(function* <Row>(kind: RowKind<Row>, entry: ExportedSeries, told: ExportReceipt) {
    const name = `response ${told.response}`
    const series = parse(entry.series)
    if (Result.isFailure(series)) return problem(series.failure)
    if (isRecordSeries(series.success)) return yield* streamed(kind, series.success, told)
    const recorded = isRecordedBars(series.success)
    const fetcher = yield* Effect.result(recorded ? fetcherOf(registry, series.success) : registry.fetcher(told.vendor))
    if (Result.isFailure(fetcher)) return unchecked(`${name} is not decoded again: ${fetcher.failure.message}`)
    const { fetch } = fetcher.success
    const response = yield* archive.response(told.response)
    const decoder = decoderFor(fetch, response.askedAt)
    if (decoder.version !== told.decoderVersion) return olderDecoder(told, decoder.version)
    const request = yield* archive.request(response.request)
    if (request.subject === null || response.sha256 === null) return problem(`${name} has no rows in the archive`)
    const payload = yield* archive.payload(response.sha256)
    const decoded = yield* Effect.exit(
      Effect.suspend(() =>
        decoder.decode(payload, {
          series: series.success,
          range: request.subject?.range ?? { start: 0, end: 0 },
          request,
          metadata: response.metadata
        })
      )
    )
    if (decoded._tag === "Failure") {
      if (Cause.hasInterruptsOnly(decoded.cause)) return yield* Effect.interrupt
      return problem(`${name} cannot be decoded again: ${Cause.squash(decoded.cause)}`)
    }
    const { bars, positions } = decoded.value
    return value(byKey(kind, kind.among({ bars, records: [] }), positions))
  })

  const rows = <Row>(kind: RowKind<Row>, entry: ExportedSeries, told: ExportReceipt) =>
    finding<DecodedRows<Row>>(told.vendor === importSource ? imported(kind, entry, told) : fetched(kind, entry, told))

  return { receipt, rows } satisfies ArchiveCheck
})
