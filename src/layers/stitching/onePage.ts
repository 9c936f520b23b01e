/** One request of a flight, through the archive and into the store: the whole of it, or a page. */
import { Clock, Effect, Result } from "effect"
import { stands } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { CacheMode } from "../../domain/Request.ts"
import type { Response } from "../../domain/Response.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { PageOfAnswer, VendorRequest } from "../../services/Adapter.ts"
import type { AskedPayload, IngestSession, OpenIngestSession } from "../../services/IngestSession.ts"
import type { GenerationId, MarketStore } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { admit, type Rebase } from "./admit.ts"
import { type Failure, isOurs, unwrap } from "./failure.ts"
import { type BarSeries, type Fetcher, project } from "./project.ts"
import { withDue } from "./recheck.ts"
import { refetchTag } from "./refetchTag.ts"
import type { Flight, Landing, SeriesDesk } from "./SeriesDesk.ts"
import { stretchesOf } from "./stretchesOf.ts"

export interface FlightContext {
  readonly archive: ProvenanceStore["Service"]
  readonly ingest: IngestSession["Service"]
  readonly market: MarketStore["Service"]
  readonly desk: SeriesDesk
  readonly series: BarSeries
  readonly fetcher: Fetcher
  /** Where the rows go when not into the series that readers see. */
  readonly generation?: GenerationId
  /** Of an adjusted series: what its answers need to come into the series that readers see. */
  readonly rebase?: Rebase
}

type Beside = () => ReadonlyArray<Flight>

/** What is asked, for which stamps, and how the archive may answer. */
export interface PageDraft {
  readonly range: TimeRange
  readonly request: VendorRequest
  readonly cacheMode: CacheMode
}

export interface LandedPage {
  readonly landing: Landing
  readonly response: Response
  /** What is left to ask for; null when nothing is. */
  readonly page: PageOfAnswer | null
}

export const onePage = Effect.fnUntraced(function* (
  context: FlightContext,
  session: OpenIngestSession,
  { cacheMode: mode, range, request }: PageDraft,
  beside: Beside
) {
  const { archive, desk, fetcher, generation, market, rebase, series } = context

  const isCovered = Effect.fnUntraced(function* (part: TimeRange) {
    if (part.start >= part.end) return true
    const now = yield* Clock.currentTimeMillis
    const coverage = yield* market.coverage(series.key, part, generation === undefined ? {} : { generation })
    const rules = { timeframe: series.timeframe, limits: fetcher.limits, calendar: series.calendar }
    const stretches = withDue(stretchesOf(part, coverage), rules, now)
    const fresh = Intervals.mergeNear(
      stretches.filter(({ due, stored }) => stored !== null && due !== true && stands(stored, now)),
      0
    )
    return fresh.length === 1 && fresh[0]?.start === part.start && fresh[0].end === part.end
  })

  /**
   * What an answer was asked for. The same question may have been asked for another range before: then that is what the answer
   * is applied for, now as by every later reading of the archive.
   */
  const askedFor = Effect.fnUntraced(function* ({ response, served }: AskedPayload) {
    if (served === "vendor") return { range, request }
    const archived = yield* archive.request(response.request)
    return archived.subject?.series !== series.text || sameRange(archived.subject.range, range)
      ? { range, request }
      : { range: archived.subject.range, request: archived }
  })

  const once = (cacheMode: CacheMode) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const answer = yield* restore(
          session.ask(request, {
            cacheMode,
            subject: { series: series.text, range },
            cacheTag: generation === undefined ? null : refetchTag
          })
        )
        const asked = yield* askedFor(answer)
        const whole = { ...answer, ...asked }
        const projected = yield* Effect.result(
          rebase === undefined || generation !== undefined
            ? Effect.map(project(market, fetcher, series, whole, generation), (done) => ({ ...done, calls: 0 }))
            : admit(
                { archive, market, desk, series, fetcher, session, rebase, beside },
                { range, request },
                whole,
                restore
              )
        )
        // What this machine could not store is tried again by the next plan; everything else needs no second look.
        if (Result.isSuccess(projected) || !isOurs(projected.failure)) desk.settled.add(answer.response.id)
        return { answer, projected, elsewhere: asked.range !== range }
      })
    )

  const { answer, elsewhere, projected } = yield* once(mode)
  const first = landing(answer, projected)
  const isOld = answer.response.askedAt + fetcher.limits.refusalFor <= (yield* Clock.currentTimeMillis)
  // Of a page only its own part can be covered; of an answer for another range nothing is known but what the store says.
  const page = pageOf(projected)
  const part = page === null || elsewhere ? range : { start: page.from, end: Math.min(range.end, page.until) }
  const again = Result.isSuccess(projected)
    ? (elsewhere || projected.success.result.alreadyApplied) && !(yield* isCovered(part))
    : answer.served === "archive" && isOld
  if (!again) {
    return { landing: first, response: answer.response, page: elsewhere ? null : page } satisfies LandedPage
  }
  const second = yield* once({ _tag: "bypass" })
  const { calls, joined, ...rest } = landing(second.answer, second.projected)
  return {
    landing: { ...rest, calls: first.calls + calls, joined: first.joined + joined },
    response: second.answer.response,
    page: pageOf(second.projected)
  } satisfies LandedPage
})

type Projected = Result.Result<
  { readonly rows: number; readonly rejected: number; readonly page: PageOfAnswer | null; readonly calls: number },
  Failure
>

const pageOf = (projected: Projected): PageOfAnswer | null =>
  Result.isSuccess(projected) ? projected.success.page : null

const sameRange = (a: TimeRange, b: TimeRange): boolean => a.start === b.start && a.end === b.end

const landing = ({ served }: AskedPayload, projected: Projected): Landing => ({
  rows: Result.isSuccess(projected) ? projected.success.rows : 0,
  rejected: Result.isSuccess(projected) ? projected.success.rejected : 0,
  calls: (served === "vendor" ? 1 : 0) + (Result.isSuccess(projected) ? projected.success.calls : 0),
  joined: served === "flight" ? 1 : 0,
  failure: Result.isSuccess(projected) ? null : unwrap(projected.failure),
  lost: null
})
