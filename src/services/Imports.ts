import { Context, type Effect, Schema, type Stream } from "effect"
import type { Bar } from "../domain/Bar.ts"
import type { Lineage } from "../domain/Lineage.ts"
import type { Request } from "../domain/Request.ts"
import { type Response, ResponseId } from "../domain/Response.ts"
import type { SplitInstant } from "../domain/records/EpochNanos.ts"
import { type AnyRecord, RecordKind, type RecordSeries } from "../domain/records/RecordKind.ts"
import type { SeriesKey } from "../domain/SeriesKey.ts"
import type { SessionId, SessionOutcome } from "../domain/Session.ts"
import { EpochMillis } from "../domain/TimeRange.ts"
import type { Excerpt } from "./Adapter.ts"
import { MarketStoreError } from "./MarketStore.ts"
import { ProvenanceStoreError } from "./ProvenanceStore.ts"
import type { RecordRevision } from "./RecordStore.ts"

/** What a file can hold. */
export const ImportKind = Schema.Literals(["bar", ...RecordKind.literals])
export type ImportKind = typeof ImportKind.Type

/** What rows belong to where they do not say so themselves; null: they have to. */
export const ImportDefaults = Schema.Struct({
  vendor: Schema.NullOr(Schema.String),
  dataset: Schema.NullOr(Schema.String),
  symbol: Schema.NullOr(Schema.String),
  timeframe: Schema.NullOr(Schema.String),
  price: Schema.NullOr(Schema.String),
  session: Schema.NullOr(Schema.String),
  currency: Schema.NullOr(Schema.String),
  adjustment: Schema.NullOr(Schema.String)
})
export interface ImportDefaults extends Schema.Schema.Type<typeof ImportDefaults> {}

/** How a text is to be read: all that its rows follow from, beside its bytes. It is archived with them. */
export const ImportSpec = Schema.Struct({
  /** What the text is called; the same text under another name is another import. */
  name: Schema.NonEmptyString,
  kind: ImportKind,
  /** `arrow`: Arrow IPC, the stream format; a segment is a schema, its dictionaries and one record batch. */
  format: Schema.Literals(["csv", "ndjson", "arrow"]),
  /** Of CSV: the columns, which the segments do not repeat. */
  header: Schema.NullOr(Schema.Array(Schema.String)),
  delimiter: Schema.Char,
  /** Of CSV: the unquoted text that stands for no value, beside the empty one. */
  nullToken: Schema.String,
  defaults: ImportDefaults,
  /** `upper`: symbols are put in upper case; `exact`: they stay as they are written. */
  symbolCase: Schema.Literals(["upper", "exact"]),
  nulls: Schema.Literals(["overwrite", "keep"]),
  /** Columns that no field has the name of. */
  unknownColumns: Schema.Literals(["refuse", "ignore"]),
  /** `fail`: of a segment with a row that cannot be accepted nothing is stored. */
  rejects: Schema.Literals(["skip", "fail"]),
  /** Of Arrow: what timestamps without a zone are in; without this they are refused, as date-times without an offset are. */
  zoneless: Schema.optionalKey(Schema.Literals(["utc"]))
})
export interface ImportSpec extends Schema.Schema.Type<typeof ImportSpec> {}

/**
 * Whole lines of a text, as they are: `offset` is the byte at which they begin, `line` the number of the first, from 1. Of Arrow, rows
 * are counted in place of lines, and `offset` is that of the record batch.
 */
export const ImportSegment = Schema.Struct({
  offset: Schema.Int,
  line: Schema.Int,
  bytes: Schema.Uint8Array
})
export interface ImportSegment extends Schema.Schema.Type<typeof ImportSegment> {}

/** What a text is counted in; lines unless it is said. */
const TextUnit = Schema.optionalKey(Schema.Literals(["line", "row"]))

/** A row that was not accepted; `line` counts in the whole text (of Arrow it is the row), `text` is the row, cut after 2,000 characters. */
export const RejectedLine = Schema.Struct({ line: Schema.Int, reason: Schema.String, text: Schema.String })
export interface RejectedLine extends Schema.Schema.Type<typeof RejectedLine> {}

/** What became of a segment. `known`: it had been imported before, and nothing was done. */
export const SegmentReport = Schema.Struct({
  response: ResponseId,
  known: Schema.Boolean,
  rows: Schema.Int,
  inserted: Schema.Int,
  updated: Schema.Int,
  unchanged: Schema.Int,
  rejected: Schema.Array(RejectedLine)
})
export interface SegmentReport extends Schema.Schema.Type<typeof SegmentReport> {}

/** The vendor is one that is asked for its rows: what it says and what was imported in its name could not be told apart. */
export class VendorNotOurs extends Schema.TaggedError<VendorNotOurs>()("VendorNotOurs", { vendor: Schema.String }) {
  override get message(): string {
    return `${this.vendor} is a configured vendor, whose rows come from its own answers; import under another name (--vendor ${this.vendor}-import)`
  }
}

/** A segment that was stored again; `problem`: why it was not. */
export const ReplayedSegment = Schema.Struct({
  response: ResponseId,
  rows: Schema.Int,
  inserted: Schema.Int,
  problem: Schema.NullOr(Schema.String)
})
export interface ReplayedSegment extends Schema.Schema.Type<typeof ReplayedSegment> {}

/** Of which series; of all unless it is said. */
export interface ImportSelection {
  readonly vendor?: string
  readonly symbol?: string
}

/** What is compared, and how many differences are told of each series. */
export interface ImportCheckOptions extends ImportSelection {
  readonly limit: number
}

/** A row, a revision or an interval of coverage that the store and the archive disagree about, as JSON; null: one of them has none. */
export const ImportDifference = Schema.Struct({
  what: Schema.Literals(["row", "revision", "coverage"]),
  at: EpochMillis,
  stored: Schema.NullOr(Schema.String),
  rebuilt: Schema.NullOr(Schema.String)
})
export interface ImportDifference extends Schema.Schema.Type<typeof ImportDifference> {}

/**
 * Told by a check of what was imported. `Unread`: a segment that cannot be read again, and is in no comparison. `Busy`: a series that was
 * written to while it was compared. `Compared`: rows that are stored and rows that the archive gives, how many of each kind differ, and the
 * first of them.
 */
export const ImportCheckEvent = Schema.TaggedUnion({
  Unread: { response: ResponseId, message: Schema.String },
  Busy: { series: Schema.String },
  Compared: {
    series: Schema.String,
    stored: Schema.Int,
    rebuilt: Schema.Int,
    rows: Schema.Int,
    revisions: Schema.Int,
    coverage: Schema.Int,
    differences: Schema.Array(ImportDifference)
  }
})
export type ImportCheckEvent = typeof ImportCheckEvent.Type

/** The text cannot be read as the spec says: no such column, a quote that never ends. Nothing of the segment is stored. */
export class UnreadableText extends Schema.TaggedError<UnreadableText>()("UnreadableText", {
  line: Schema.NullOr(Schema.Int),
  message: Schema.String,
  unit: TextUnit
}) {}

/** A row that cannot be accepted, where the spec says to fail then. */
export class RowRefused extends Schema.TaggedError<RowRefused>()("RowRefused", {
  line: Schema.Int,
  message: Schema.String,
  unit: TextUnit
}) {}

/** Why a segment was not imported; those before it are. */
export class ImportsError extends Schema.TaggedError<ImportsError>()("ImportsError", {
  reason: Schema.Union([UnreadableText, RowRefused, VendorNotOurs, MarketStoreError, ProvenanceStoreError])
}) {
  override get message(): string {
    const { reason } = this
    if (reason._tag !== "UnreadableText" && reason._tag !== "RowRefused") return reason.message
    return reason.line === null ? reason.message : `${reason.unit ?? "line"} ${reason.line}: ${reason.message}`
  }
}

/** Rows of one series, as a program has them. */
export interface ImportedRows {
  readonly series: SeriesKey
  readonly rows: ReadonlyArray<Bar | AnyRecord>
}

/**
 * The chain behind one record, from the value back to the exact bytes. `receivedAt` is when it came, of a row of a recorded stream; what a page of
 * a vendor's history says of it is in `excerpt` as it was read. `before`: the values that it took the place of, oldest first.
 */
export interface RecordReceipt {
  readonly series: RecordSeries
  readonly row: AnyRecord
  readonly lineage: Lineage
  readonly response: Response
  readonly request: Request
  readonly attempts: ReadonlyArray<Response>
  readonly excerpt: Excerpt
  readonly receivedAt: EpochMillis | null
  readonly before: ReadonlyArray<RecordRevision>
}

/** What takes a text, here or in another process; `E` is how it fails. */
export interface Importer<E> {
  /** Opens a session; its segments may come in any order, several at once. */
  readonly begin: Effect.Effect<SessionId, E>
  /** `turn` is done when the segment may be archived and stored; until then its rows may be made ready. At once unless given. */
  readonly segment: (
    session: SessionId,
    spec: ImportSpec,
    segment: ImportSegment,
    turn?: Effect.Effect<void>
  ) => Effect.Effect<SegmentReport, E>
  readonly end: (session: SessionId, outcome: SessionOutcome, reason: string | null) => Effect.Effect<void, E>
}

/**
 * Rows that come from no vendor. A text comes in segments of whole lines; each is archived as it is, as a Response of the source
 * `import`, before its rows are stored, and the rows name it as where they came from. A segment that was imported before is not
 * archived again, and its rows are not written again: an import that broke off is continued by running it again.
 *
 * Bars are covered where they are and nowhere else; rows of other kinds prove nothing of what is around them.
 */
export class Imports extends Context.Service<
  Imports,
  Importer<ImportsError> & {
    /**
     * Rows of one kind that a program has, as a segment of their own: `name` and `offset` are those of the text that they would be
     * lines of, and tell one segment from another. Fails with RowRefused at the first row that cannot be accepted; nothing is stored
     * then, and its `line` counts the rows over all batches, from 1.
     */
    readonly rows: (
      session: SessionId,
      segment: {
        readonly name: string
        readonly offset: number
        readonly kind: ImportKind
        readonly batches: ReadonlyArray<ImportedRows>
      }
    ) => Effect.Effect<SegmentReport, ImportsError>
    /**
     * Stores what an archived answer says of a series of records or of recorded bars: a segment of a recorded stream, or a page of the history that a gap of one was
     * filled from. Twice is once. Fails with UnreadableText where it cannot be read.
     */
    readonly project: (
      response: ResponseId
    ) => Effect.Effect<{ readonly rows: number; readonly inserted: number }, ImportsError>
    /**
     * Stores again what was imported, and what live streams have left of records, as it is in the archive; what is stored stays as it is. For
     * a store that was lost. Answers whose bytes are damaged are passed over, and told. Of a selection, those are told that have rows of it, and
     * those of which nobody can say it any more.
     */
    readonly replay: (of?: ImportSelection) => Stream.Stream<ReplayedSegment, ImportsError>
    /**
     * Where the records of a millisecond came from, or those of one instant in it where `nanos` is not 0; in their order, the first `limit`. None
     * where there are none.
     */
    readonly explain: (
      series: RecordSeries,
      at: SplitInstant,
      options: { readonly asOf?: EpochMillis; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<RecordReceipt>, ImportsError>
    /**
     * Compares what is stored of these with what their archived answers give, series by series; changes nothing. It is built in a
     * store of its own, which needs as much room.
     */
    readonly check: (options: ImportCheckOptions) => Stream.Stream<ImportCheckEvent, ImportsError>
  }
>()("tapestry/Imports") {}
