/** What an answered range says of itself to people: where its rows came from, and what could not be had. */
import { type CoverageInterval, CoverageState, isComplete, type Refused } from "../../domain/Coverage.ts"
import type { RangeAnswer } from "../../services/StitchingCache.ts"
import { titleOf } from "../flags/SeriesFlags.ts"
import { counted, duration, grouped } from "./Numbers.ts"
import { brief, moment } from "./ZonedTime.ts"

/** What of an answer is told here, whatever its rows are. */
type Answered = Pick<
  RangeAnswer,
  "coverage" | "derived" | "requests" | "rowCount" | "rowsFromVendor" | "series" | "sharedRequests"
>

/** `252 rows of SPX 1d: 125 from the store, 127 from sample in 1 request`; `limit` is how many of them are shown. */
export const sourceLine = (answer: Answered, limit: number | null = null): string => {
  const { rowCount, rowsFromVendor, requests, sharedRequests, series } = answer
  const first = limit !== null && limit < rowCount ? `first ${grouped(limit)} of ` : ""
  const rows = `${first}${counted(rowCount, "row")} of ${titleOf(series)}`
  if (answer.derived !== undefined) return `${rows}: derived from the ${answer.derived.from.timeframe} that are stored`
  const stored = rowCount - rowsFromVendor
  const asked = requests + sharedRequests
  const [only] = answer.coverage
  if (only?.state._tag === "Closed" && answer.coverage.length === 1)
    return `${rows}: ${because(only.state)}, no request made`
  if (rowCount === 0 && answer.coverage.every(({ state }) => isComplete(state))) {
    return `${rows}: ${series.vendor} has none in this range${asked === 0 ? ", no request made" : `, asked in ${counted(asked, "request")}`}`
  }
  if (asked === 0) return `${rows}: ${grouped(rowCount)} from the store, no request made`
  return `${rows}: ${grouped(stored)} from the store, ${grouped(rowsFromVendor)} from ${series.vendor} in ${counted(asked, "request")}`
}

/** Why an interval is not there, or until when what is there is believed. */
export const because = (state: CoverageState): string =>
  CoverageState.match(state, {
    Covered: () => "",
    Empty: ({ recheckAfter }) =>
      recheckAfter === null
        ? "the vendor has no rows there"
        : `the vendor has no rows there; asked again after ${moment(recheckAfter)}`,
    Provisional: ({ until }) => `not final yet; fetched again after ${moment(until)}`,
    NotEntitled: ({ until }) => `the account may not have it; asked again after ${moment(until)}`,
    NotFound: ({ until }) => `the vendor does not know it; asked again after ${moment(until)}`,
    Closed: ({ calendar }) => `closed (${calendar})`,
    Missing: ({ cause }) => (cause === null ? "not asked for yet" : cause.message),
    Throttled: ({ cause, retryAfter }) => cause ?? `the vendor's budget is spent; try again in ${duration(retryAfter)}`,
    Pending: () => "on its way in another request"
  })

/** What the vendor has said since to who asked for it again. */
export const refusedText = ({ response, tag, until }: Refused): string =>
  `${tag === "NotFound" ? "the vendor does not know it any more" : "the account may not have it any more"} (response ${response}); asked again after ${moment(until)}`

export const span = (interval: { readonly start: number; readonly end: number }): string =>
  `${brief(interval.start)} to ${brief(interval.end)}`

/** The parts that could not be had; those with nothing but closed time between them, and one reason, are one. */
export const holesOf = (coverage: ReadonlyArray<CoverageInterval>): ReadonlyArray<CoverageInterval> => {
  const holes: Array<CoverageInterval> = []
  let joins = false
  for (const interval of coverage) {
    if (interval.state._tag === "Closed") continue
    if (isComplete(interval.state)) {
      joins = false
      continue
    }
    const before = joins ? holes.at(-1) : undefined
    if (before !== undefined && because(before.state) === because(interval.state)) {
      holes[holes.length - 1] = { ...before, end: interval.end }
    } else holes.push(interval)
    joins = true
  }
  return holes
}

const named = 10

/** Where the rows of an adjusted series were never compared with those before. */
export const seamLines = (seams: RangeAnswer["seams"]): ReadonlyArray<string> =>
  (seams ?? []).map(
    (seam) =>
      `not compared: rows before ${moment(seam)} with those behind it: the vendor gave the older ones no more, and a split in between would not show`
  )

/** Bars that no vendor has said look like those that one has. */
export const derivedLines = ({ derived, series }: RangeAnswer): ReadonlyArray<string> =>
  derived === undefined
    ? []
    : [
        `derived: made of ${derived.from.timeframe} bars that are stored, not ${series.vendor}'s own ${series.timeframe}${
          series.timeframe === "1d" ? "; a day is a date in UTC, not a session" : ""
        }`
      ]

/** The parts that the vendor would not give again; their rows are those that it gave before. */
export const keptLines = (coverage: ReadonlyArray<CoverageInterval>): ReadonlyArray<string> => {
  const kept: Array<{ readonly start: number; end: number; readonly why: string }> = []
  for (const { end, refusal, start, state } of coverage) {
    if (state._tag === "Closed") continue
    const last = kept.at(-1)
    const why = refusal === undefined ? null : refusedText(refusal)
    if (last !== undefined && last.why === why) last.end = end
    else if (why !== null) kept.push({ start, end, why })
  }
  return [
    ...kept.slice(0, named).map((part) => `kept: ${span(part)}: ${part.why}`),
    ...(kept.length > named ? [`and ${counted(kept.length - named, "more part")} kept`] : [])
  ]
}

/** A line for each part that could not be had; after ten of them, how many more there are. */
export const holeLines = (holes: ReadonlyArray<CoverageInterval>): ReadonlyArray<string> => [
  ...holes.slice(0, named).map((hole) => `not had: ${span(hole)}: ${because(hole.state)}`),
  ...(holes.length > named ? [`and ${counted(holes.length - named, "more part")} (see tapestry coverage)`] : [])
]
