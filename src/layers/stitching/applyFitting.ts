/**
 * Applies an answer of the archive without asking anybody. One about an adjusted series is applied only where it fits (weigh.ts);
 * what once proved it is in the archive, too. What does not fit is left alone: its range stays missing, and the flight that asks
 * for it decides (admit.ts).
 */
import { Effect } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { GenerationId } from "../../services/MarketStore.ts"
import { archivedAnswer } from "./archivedAnswer.ts"
import { isAdjusted } from "./basis.ts"
import { checkTag } from "./checkTag.ts"
import { commitAdmitted } from "./commitAdmitted.ts"
import * as KnownBasis from "./KnownBasis.ts"
import { type ArchivedAnswer, type BarSeries, type Fetcher, readAnswer } from "./project.ts"
import type { SeriesDesk } from "./SeriesDesk.ts"
import type { Stores } from "./Stores.ts"
import { type Evidence, weigh } from "./weigh.ts"

/** Answers behind one that are looked at for what proved it: it was asked for at once, with few others in between. */
const looked = 32

/** What was asked for after an answer had come, to prove it or others. */
const evidenceFor = Effect.fnUntraced(function* (
  { archive }: Stores,
  series: BarSeries,
  fetcher: Fetcher,
  { response }: ArchivedAnswer
) {
  const bars: Array<Bar> = []
  let since: EpochMillis | null = null
  for (const id of (yield* archive.answersOf(series.text, response.id)).slice(0, looked)) {
    const check: ArchivedAnswer | null = yield* archivedAnswer(archive, id)
    if (check === null || !("cacheTag" in check.request) || check.request.cacheTag !== checkTag) continue
    const { askedAt } = check.response
    if (askedAt < response.fetchedAt) continue
    const { commit } = yield* readAnswer(fetcher, series, check)
    bars.push(...commit.bars)
    since = since === null ? askedAt : Math.min(since, askedAt)
  }
  const evidence: Evidence | null = since === null ? null : { anchor: null, bars, askedAt: since }
  return evidence
})

/** False when it was left alone. The caller sees to it that nothing else is committed to the series meanwhile. */
export const applyFitting = Effect.fnUntraced(function* (
  stores: Stores,
  series: BarSeries,
  fetcher: Fetcher,
  answer: ArchivedAnswer,
  generation?: GenerationId,
  desk?: SeriesDesk
) {
  const { archive, market } = stores
  if (series.apply !== undefined) {
    yield* series.apply(answer)
    return true
  }
  const reading = yield* readAnswer(fetcher, series, answer, generation)
  if (isAdjusted(series.key)) {
    const known = desk === undefined ? KnownBasis.unknown : yield* KnownBasis.knownBasis(archive, desk, series.text)
    const weighing = {
      market,
      archive,
      series: series.key,
      reading,
      askedAt: answer.response.askedAt,
      evidence: null,
      reach: Number.NEGATIVE_INFINITY,
      believed: KnownBasis.believedIn(known),
      believes: false,
      ...(generation === undefined ? {} : { generation })
    }
    let verdict = yield* weigh(weighing)
    if (verdict._tag === "Unproven") {
      verdict = yield* weigh({ ...weighing, evidence: yield* evidenceFor(stores, series, fetcher, answer) })
    }
    if (verdict._tag !== "Fits" || verdict.unproven.length > 0) return false
    if (desk !== undefined) {
      const change = KnownBasis.admittedBy(verdict, answer)
      yield* commitAdmitted({ archive, market, desk, series, fetcher }, reading.commit, change, [])
      return true
    }
  }
  yield* market.commit(reading.commit)
  return true
})
