/**
 * What is known of the basis of an adjusted series: since when and until when the vendor was seen to have its history as it is
 * stored, and which answers were admitted in between without being compared.
 *
 * It follows from the operations that the archive keeps, so it survives the process. A comparison of any bar that is not believed
 * itself shows every rebase since the last one, because all such bars were had before that (weigh.ts): so it proves each
 * answer that was asked for after `from` and had come by then.
 */
import { Effect } from "effect"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { SeriesChange, SeriesOperation } from "../../domain/SeriesOperation.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { ArchivedAnswer } from "./project.ts"
import type { SeriesDesk } from "./SeriesDesk.ts"
import type { Verdict } from "./weigh.ts"

/** An answer that was compared with nothing: what it was asked for, and when it had come. */
export interface Belief {
  readonly range: TimeRange
  readonly had: EpochMillis
}

export interface KnownBasis {
  /** From then on the vendor is known to have had the history that is stored; null: not known. */
  readonly from: EpochMillis | null
  readonly comparedAt: EpochMillis | null
  readonly believed: ReadonlyArray<Belief>
  /** Instants at which what is stored before and behind could never be compared. */
  readonly seams: ReadonlyArray<EpochMillis>
}

export const unknown: KnownBasis = { from: null, comparedAt: null, believed: [], seams: [] }

const compared = (known: KnownBasis, at: EpochMillis, from: EpochMillis): KnownBasis => ({
  ...known,
  from: known.from ?? from,
  comparedAt: Math.max(known.comparedAt ?? at, at),
  believed: known.believed.filter(({ had }) => had > at)
})

export const after = (known: KnownBasis, { change, recordedAt }: SeriesOperation): KnownBasis => {
  switch (change._tag) {
    case "Admitted":
      if (change.apart !== undefined) return { ...known, seams: [...known.seams, change.apart] }
      return change.comparedAt === undefined ? known : compared(known, change.comparedAt, recordedAt)
    case "Confirmed":
      return compared(known, change.at, recordedAt)
    case "Believed":
      return { ...known, believed: [...known.believed, { range: change.range, had: change.had }] }
    case "Published":
      return { from: recordedAt, comparedAt: change.at, believed: [], seams: [] }
    case "Forgotten":
      return unknown
    default:
      return known
  }
}

/** The caller holds the desk's `committing`. */
export const knownBasis = Effect.fnUntraced(function* (
  archive: ProvenanceStore["Service"],
  desk: SeriesDesk,
  text: string
) {
  const known = desk.basis ?? (yield* archive.operationsOf(text, 0)).reduce(after, unknown)
  desk.basis = known
  return known
})

/** Where what is stored was compared with nothing. */
export const believedIn = ({ believed }: Pick<KnownBasis, "believed">): Intervals.Ranges =>
  Intervals.normalise(believed.map(({ range }) => range))

/** The seams that a range has rows on both sides of. */
export const seamsIn = ({ seams }: KnownBasis, known: ReadonlyArray<StoredCoverage>): ReadonlyArray<EpochMillis> => {
  const had = known.filter(({ state }) => state._tag === "Covered" || state._tag === "Provisional")
  const first = had[0]?.start ?? Infinity
  const last = had.at(-1)?.end ?? -Infinity
  return [...new Set(seams)].filter((seam) => first < seam && seam < last).sort((a, b) => a - b)
}

/** What the archive is told of an answer that fits. */
export const admittedBy = (
  { apart, believed, comparedAt }: Extract<Verdict, { readonly _tag: "Fits" }>,
  { range, response }: Pick<ArchivedAnswer, "range" | "response">
): SeriesChange =>
  believed
    ? { _tag: "Believed", response: response.id, range, had: response.fetchedAt }
    : {
        _tag: "Admitted",
        response: response.id,
        ...(comparedAt === null ? {} : { comparedAt }),
        ...(apart === undefined ? {} : { apart })
      }

/** Whether an answer may be admitted without a comparison. `holds` is the vendor's `basisHolds`. */
export const believes = (
  { comparedAt, from }: KnownBasis,
  { askedAt, fetchedAt }: { readonly askedAt: EpochMillis; readonly fetchedAt: EpochMillis },
  holds: number
): boolean => holds > 0 && from !== null && comparedAt !== null && askedAt >= from && fetchedAt - comparedAt <= holds
