/** Why an export could not be written, or cannot be checked. What an export has wrong is no error: verifyExport reports it. */
import { Schema } from "effect"
import { MarketStoreError } from "../../services/MarketStore.ts"
import { ProvenanceStoreError } from "../../services/ProvenanceStore.ts"

/** Something stands where the export should go, and may not be replaced; `message` says what and how to go on. */
export class ExportExists extends Schema.TaggedError<ExportExists>()("ExportExists", {
  directory: Schema.String,
  message: Schema.String
}) {}
/** The export cannot be written: no such place, no right, no room. Nothing of it is left at its place. */
export class ExportNotWritten extends Schema.TaggedError<ExportNotWritten>()("ExportNotWritten", {
  directory: Schema.String,
  message: Schema.String
}) {}
/** New answers came for a series each time it was read: rows and coverage of one moment could not be had. */
export class SeriesUnsettled extends Schema.TaggedError<SeriesUnsettled>()("SeriesUnsettled", {
  series: Schema.String,
  message: Schema.String
}) {}
/** There is no export at that place, or it cannot be read. */
export class ExportUnreadable extends Schema.TaggedError<ExportUnreadable>()("ExportUnreadable", {
  directory: Schema.String,
  message: Schema.String
}) {}

export class ExportError extends Schema.TaggedError<ExportError>()("ExportError", {
  reason: Schema.Union([
    ExportExists,
    ExportNotWritten,
    SeriesUnsettled,
    ExportUnreadable,
    MarketStoreError,
    ProvenanceStoreError
  ])
}) {
  override get message(): string {
    return this.reason.message
  }
}
