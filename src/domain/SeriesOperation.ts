import { Schema } from "effect"
import { ResponseId } from "./Response.ts"
import { EpochMillis, TimeRange } from "./TimeRange.ts"

/**
 * What was decided about a stored series, beside the answers that it is made of.
 *
 * - `Invalidated`: what was known of the range by then counts as not known.
 * - `Published`: a new generation, made of these responses, took the place of the visible one; `at` is from when on readers as of
 *   an instant see it.
 * - `Admitted`: an answer about an adjusted series was found to fit what is stored, and belongs to the generation that is visible by
 *   then. Of other series every answer belongs to it. `comparedAt` is an instant of asking at which the vendor was seen to have its
 *   history as it is stored; absent where nothing told. `apart`: all that was stored by then lay before that instant, and the vendor
 *   gave nothing of it any more, so whether the two are of one basis is not known.
 * - `Believed`: admitted, too, but compared with nothing, since the series had been compared shortly before. `range` is what it was
 *   asked for, `had` when it had come.
 * - `Confirmed`: a stored bar was asked for at `at` and had not moved, so what was believed until then is of the same basis.
 * - `Forgotten`: the series was removed from the store; `Recalled`: it was asked for again and made anew of what is archived.
 */
export const SeriesChange = Schema.TaggedUnion({
  Invalidated: { range: TimeRange },
  Published: { at: EpochMillis, responses: Schema.Array(ResponseId) },
  Admitted: {
    response: ResponseId,
    comparedAt: Schema.optionalKey(EpochMillis),
    apart: Schema.optionalKey(EpochMillis)
  },
  Believed: { response: ResponseId, range: TimeRange, had: EpochMillis },
  Confirmed: { at: EpochMillis },
  Forgotten: {},
  Recalled: {}
})
export type SeriesChange = typeof SeriesChange.Type

/**
 * A change as the archive keeps it. Ids grow and are never used twice. `after` is the newest response that the archive had by
 * then, 0 for none: together they say which came first. `recordedAt` never decreases, and no response that comes later has an
 * earlier fetch time.
 */
export interface SeriesOperation {
  readonly id: number
  /** Canonical text of the SeriesKey. */
  readonly series: string
  readonly after: number
  readonly recordedAt: EpochMillis
  readonly change: SeriesChange
}
