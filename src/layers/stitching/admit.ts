/**
 * How an answer about an adjusted series comes into the store: compared with what is stored, and only when it fits.
 *
 * Responsibilities: no generation that readers see ever has rows of two bases (weigh.ts says what that means). An answer that
 * fits is committed; one that shares no bar with the store waits for the requests beside it, is believed where the series was
 * compared shortly before (KnownBasis.ts; its vendor's limits say how long), and is proven by asking for two bars more else; one that is older than what
 * it contradicts is asked for again; one that is younger has the series refetched whole (rebase.ts) and is then compared with
 * the new generation, into which it goes, so that whoever waits for its flight gets the new generation's answer.
 *
 * Queueing: the comparison and the commit are one step under the desk's `committing`, first come first served; publishing takes
 * it, too. Nobody holds it while a vendor is waited for: after every call the answer is compared anew. What `planning` holders
 * need of it (answers of the archive, see applyArchived.ts) is therefore quick. A flight waits for flights that departed before it
 * and for no others, so no two wait for each other.
 *
 * Hard cases: the vendor's answer is of some instant between asking and arriving, which nobody knows, so the two bars that prove
 * it are asked for after it has arrived, and count only for the generation that was seen then. A process that dies with the
 * answer archived and not admitted leaves it to the next plan, which passes it over when it does not fit; the range is still
 * missing then, and the flight that asks for it is served by the archive and comes here. A vendor whose answers contradict each
 * other is asked a bounded number of times; then the flight fails and the store stays as it was.
 */
import { Clock, Effect } from "effect"
import { allTime, type EpochMillis, type TimeRange } from "../../domain/TimeRange.ts"
import { Malformed, VendorError, type VendorRequest } from "../../services/Adapter.ts"
import type { OpenIngestSession } from "../../services/IngestSession.ts"
import type { GenerationId, MarketStore } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { checkTag } from "./checkTag.ts"
import { commitAdmitted } from "./commitAdmitted.ts"
import type { Failure } from "./failure.ts"
import * as KnownBasis from "./KnownBasis.ts"
import { askableBar, reachOf } from "./overlap.ts"
import { type ArchivedAnswer, type BarSeries, type Fetcher, readAnswer } from "./project.ts"
import { refusalOf } from "./report.ts"
import { type Flight, landedAll, type SeriesDesk } from "./SeriesDesk.ts"
import { type Evidence, weigh } from "./weigh.ts"

/** Refetches the series unless another generation than `seen` is visible by then; gives what was asked of the vendor for it. */
export type Rebase = (since: EpochMillis, seen: GenerationId | null) => Effect.Effect<number, Failure>

export interface Admission {
  readonly market: MarketStore["Service"]
  readonly archive: ProvenanceStore["Service"]
  readonly desk: SeriesDesk
  readonly series: BarSeries
  readonly fetcher: Fetcher
  readonly session: OpenIngestSession
  readonly rebase: Rebase
  /** Flights on whose answer this one borders, and which come into the store first. */
  readonly beside: () => ReadonlyArray<Flight>
}

/** Comparisons of one answer: enough for a rebase, a proof and a repetition to be overtaken by another rebase. */
const maxTurns = 8

const nowhere: TimeRange = { start: allTime.start, end: allTime.start }

/** What the vendor has in a small range now, past every cache; committed nowhere. That it refuses is no answer about prices. */
export const askBar = Effect.fnUntraced(function* (
  { fetcher, series, session }: Pick<Admission, "fetcher" | "series" | "session">,
  range: TimeRange
) {
  const request = yield* fetcher.fetch.request(series.key, range)
  const answer = yield* session.ask(request, {
    cacheMode: { _tag: "bypass" },
    cacheTag: checkTag,
    subject: { series: series.text, range }
  })
  const { commit } = yield* readAnswer(fetcher, series, { ...answer, range, request })
  for (const { state } of commit.coverage) {
    const refusal = refusalOf(series.key, state)
    if (refusal !== null) return yield* Effect.fail<Failure>(refusal)
  }
  return { bars: commit.bars, askedAt: answer.response.askedAt }
})

/** The two bars that an answer needs to be proven, in one request where they are near enough. */
const askBars = Effect.fnUntraced(function* (admission: Admission, anchor: EpochMillis, first: EpochMillis) {
  const { fetcher, series } = admission
  const both = askableBar(fetcher, series, [anchor, first])
  const ranges = both === null ? [askableBar(fetcher, series, [first]), askableBar(fetcher, series, [anchor])] : [both]
  const evidence: Evidence = { anchor, bars: [], askedAt: Infinity }
  let calls = 0
  return yield* Effect.reduce(
    ranges.filter((range) => range !== null),
    () => ({ evidence, calls }),
    ({ evidence: { askedAt, bars } }, range) =>
      Effect.map(askBar(admission, range), (asked) => ({
        evidence: { anchor, bars: [...bars, ...asked.bars], askedAt: Math.min(askedAt, asked.askedAt) },
        calls: ++calls
      }))
  )
})

const contradictory = (vendor: string, at: EpochMillis) =>
  new VendorError({
    vendor,
    reason: new Malformed({
      position: null,
      message: `its answers contradict each other about the bar of ${new Date(at).toISOString()}; nothing of them was stored`
    })
  })

/**
 * Commits an answer when it fits and does what it takes until it does. `outside` runs what waits for the vendor, so that the
 * caller decides whether it may be interrupted.
 */
export const admit = Effect.fnUntraced(function* (
  admission: Admission,
  asked: { readonly range: TimeRange; readonly request: VendorRequest },
  first: ArchivedAnswer,
  outside: <A, E>(waiting: Effect.Effect<A, E>) => Effect.Effect<A, E>
) {
  const { archive, desk, fetcher, market, rebase, series, session } = admission
  let answer = first
  let known: { readonly evidence: Evidence; readonly seen: GenerationId | null } | null = null
  let calls = 0
  let at = first.range.start
  for (let turn = 0; turn < maxTurns; turn++) {
    const reading = yield* readAnswer(fetcher, series, answer)
    const { askedAt } = answer.response
    const { beside, result, seen, verdict } = yield* desk.committing.withPermit(
      Effect.gen(function* () {
        const seen = yield* market.visibleGeneration(series.key)
        const evidence = known !== null && known.seen === seen ? known.evidence : null
        const beside = admission.beside()
        // What comes first of all is compared with nothing: that is the first of those that can be compared with each other.
        if (beside.length > 0 && !(yield* market.surroundings(series.key, nowhere)).rows) {
          return { beside, seen, verdict: null, result: null }
        }
        const now = yield* Clock.currentTimeMillis
        const basis = yield* KnownBasis.knownBasis(archive, desk, series.text)
        const verdict = yield* weigh({
          market,
          archive,
          series: series.key,
          reading,
          askedAt,
          evidence,
          reach: reachOf(fetcher, series, now),
          believed: KnownBasis.believedIn(basis),
          believes: beside.length === 0 && KnownBasis.believes(basis, answer.response, fetcher.limits.basisHolds)
        })
        if (verdict._tag !== "Fits") return { beside, seen, verdict, result: null }
        const change = KnownBasis.admittedBy(verdict, answer)
        const result = yield* commitAdmitted(admission, reading.commit, change, verdict.unproven)
        return { beside, seen, verdict, result }
      })
    )
    if (result !== null)
      return { rows: reading.commit.bars.length, rejected: reading.rejected, page: reading.page, result, calls }
    if (verdict === null || (verdict._tag === "Unproven" && beside.length > 0)) {
      yield* outside(landedAll(beside))
      continue
    }
    switch (verdict._tag) {
      case "Unproven": {
        const checked = yield* outside(askBars(admission, verdict.anchor, verdict.first))
        calls += checked.calls
        known = { evidence: checked.evidence, seen }
        at = verdict.first
        break
      }
      case "Outdated": {
        at = verdict.at
        const subject = { series: series.text, range: asked.range }
        const again = yield* outside(session.ask(asked.request, { cacheMode: { _tag: "bypass" }, subject }))
        calls += again.served === "vendor" ? 1 : 0
        desk.settled.add(again.response.id)
        answer = { ...again, ...asked }
        break
      }
      case "Rebased":
        at = verdict.at
        calls += yield* outside(rebase(verdict.since, seen))
    }
  }
  return yield* contradictory(fetcher.name, at)
})
