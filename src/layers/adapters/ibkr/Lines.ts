/**
 * Subscriptions that outlive connections: each is asked for again, under a new number, on every connection that becomes ready, and
 * whenever the gateway says or shows that it has forgotten it.
 *
 * Queueing: requests wait in the connection's outbound lines, in the order in which the subscriptions were made. What a subscription
 * hears is told in the callback of the socket, in order, and never waits.
 *
 * Hard cases. Answers to a number that is no longer a subscription's are nobody's. A gateway that gets IB back with its data (1102), or a
 * farm (2104), often leaves some subscriptions dead without a word: those that have been silent for `verifyAfter` since are asked for again, the
 * others are left alone. One that the gateway still has and sends nothing for while another session of the login has the live data (10197) keeps its line, and is given up and asked for again
 * after growing pauses: nothing says when that session is over. A gateway that was sent too much (100) leaves a message out and does not say which: what was asked for last and has not been heard is in
 * doubt, is told so, and is asked for again where it stays silent. What is asked for while IB or a farm is away does not come yet, though the gateway takes the request. One that the gateway ends itself (10182, 10225) is given up there and asked for again. One that it refuses ends. Who
 * unsubscribes before the request was sent sends nothing. There are more of them than the account has lines: those that find none wait for one
 * (LineQuota), and so does one that the gateway refuses for that reason (101, 309, 10190); each says so, and comes in by itself. One that has to be asked for
 * again and again is asked for more and more slowly. A cancel that the gateway has left out is noticed and sent again (GivenUp). There are more of them than messages that may wait to be sent: the others try again a moment later, in the
 * order of their turns. IB takes one request for the trades of an instrument in fifteen seconds: the next waits for that.
 */
import { Effect, FiberSet, Metric, Scope } from "effect"
import { IbkrError, type IbkrErrorReason } from "../../../services/IbkrSession.ts"
import { ibkrSubscriptions } from "../../../services/Metrics.ts"
import { monotonicMillis } from "../../monotonicMillis.ts"
import * as AccountLines from "./AccountLines.ts"
import { meaningOf, requestError } from "./codes.ts"
import * as GivenUp from "./GivenUp.ts"
import { type LineLimits, type LineSort, lineSorts } from "./LineQuota.ts"
import type { LineEvents, LineSpec } from "./LineSpec.ts"
import type { Link } from "./Link.ts"

interface Line {
  readonly spec: LineSpec
  /** On the connection of now; null: not asked for on it. */
  requestId: number | null
  /** When it was last asked for, by the monotonic clock, and how often in a row too soon after it. */
  askedAt: number
  hasty: number
  /** The longest pause before it is asked for again. */
  rest: number
  /** It has ended on the connection of now, and is to be asked for again because of this. */
  ended: string | null
  sent: boolean
  heard: boolean
}

export interface Lines extends Pick<GivenUp.GivenUp, "cancel" | "late"> {
  /** Has the metrics tell of them, while the scope lives. */
  readonly show: Effect.Effect<void, never, Scope.Scope>
  /** Until the scope closes. Done when it was asked for, or will be as soon as there is a connection. */
  readonly add: (spec: LineSpec) => Effect.Effect<void, IbkrError, Scope.Scope>
  /**
   * A line for a question, until the scope closes; after those that wait for one already. Fails where there is none within so many milliseconds. The
   * effect that it gives is for when the gateway has refused it that line.
   */
  readonly lease: (sort: LineSort, within: number) => Effect.Effect<Effect.Effect<void>, IbkrError, Scope.Scope>
  /** Asks for all on a connection; in its scope. */
  readonly attach: (link: Link) => Effect.Effect<void, never, Scope.Scope>
  readonly detach: (reason: string) => void
  /** The gateway has lost something (IB, or the farm of that name): nothing comes, and nothing is forgotten yet. */
  readonly breakAll: (lost: string, reason: string) => void
  /** It has that back, and says that it has forgotten everything. */
  readonly renewAll: (link: Link, lost: string) => Effect.Effect<void, never, Scope.Scope>
  /** It is back with all data, as it says. */
  readonly verifyAll: (link: Link, lost: string) => Effect.Effect<void, never, Scope.Scope>
  /** The gateway has left out a message of the last second. */
  readonly doubtLast: (link: Link) => Effect.Effect<void, never, Scope.Scope>
  readonly hears: (requestId: number) => LineEvents | undefined
  readonly everyone: () => Iterable<LineEvents>
  /** The numbers under which something may come now. */
  readonly asked: () => ReadonlyArray<number>
  /** What is told of a subscription is of no use any more; true where it now has to be asked for again. */
  readonly spoilt: (requestId: number, why: string) => boolean
  /** What it says about a subscription; true where that has to be asked for again. */
  readonly told: (requestId: number, code: number, message: string) => boolean
  /** Asks again for the subscription of a number. */
  readonly renew: (link: Link, requestId: number) => Effect.Effect<void, never, Scope.Scope>
  readonly size: () => number
}

const verifyAfter = "10 seconds"
/** A gateway counts 50 in a second, and what it says of them comes a little later. */
const lastSent = 100
/** One that has to be asked for again within `soon` of the last time waits, longer each time. Milliseconds. */
const soon = 10_000
const longest = 16_000
/** How long is waited for room among the messages that wait to be sent. */
const crowdedFor = "1 second"
/** While another session has the live data, which may be for hours. */
const longestInCompetition = 64_000
/** How far back a cancel may lie that a gateway has left out when it says that it did, or has no line though one was given up. Milliseconds. */
const aMoment = 2_000
const lately = 60_000
/** How long IB takes no second request for the trades of one instrument. */
const tickByTickPause = 15_000
/** How often it is tried whether the account has a line more than it last had. */
const growAfter = "60 seconds"

export const make = (nextId: () => number, limits: LineLimits): Lines => {
  const lines = new Set<Line>()
  const byId = new Map<number, Line>()
  /** Those that were sent last, in that order; a set of no more than `lastSent`. */
  const recent = new Set<Line>()
  const account = AccountLines.make<Line>(limits, (line) => requestSoon(line))
  const givenUp = GivenUp.make()
  let current: { readonly link: Link; readonly run: (effect: Effect.Effect<void>) => void } | null = null
  /** When the trades of what were asked for on this connection. */
  let tapesAsked = new Map<string, number>()
  const growing = new Set<LineSort>()
  /** What the gateway is without, and why nothing comes then. */
  const away = new Map<string, string>()

  const forget = (line: Line) => {
    if (line.requestId !== null) byId.delete(line.requestId)
    line.requestId = null
    line.ended = null
    line.sent = false
  }

  const quotaOf = ({ spec }: Line) => (spec.sort === null ? null : account.of[spec.sort])

  const pauseBefore = ({ askedAt, hasty, rest, spec }: Line, now: number): number => {
    const backOff = hasty === 0 ? 0 : Math.min(rest, 500 * 2 ** hasty)
    const asked = spec.sort === "tick-by-tick" ? tapesAsked.get(spec.what) : undefined
    return Math.max(askedAt + backOff - now, asked === undefined ? 0 : asked + tickByTickPause - now)
  }

  /** Of one that has a place. */
  const request = Effect.fnUntraced(function* (link: Link, line: Line) {
    const requestId = nextId()
    line.requestId = requestId
    byId.set(requestId, line)
    yield* link.clockTold
    const pause = pauseBefore(line, yield* monotonicMillis)
    if (pause > 0) {
      line.spec.waits(`it was asked for a moment ago, and is again in ${Math.ceil(pause / 1000)} s`)
      yield* Effect.sleep(Math.ceil(pause))
      if (line.requestId !== requestId) return
    }
    line.askedAt = yield* monotonicMillis
    const { askedAt, spec } = line
    yield* link.outbound.send("subscribe", () => {
      if (line.requestId !== requestId) return
      if (spec.sort === "tick-by-tick") tapesAsked.set(spec.what, askedAt)
      spec.send(link.api, requestId)
      line.sent = true
      line.heard = false
      recent.delete(line)
      recent.add(line)
      for (const oldest of recent) if (recent.size > lastSent) recent.delete(oldest)
      spec.began()
      for (const reason of away.values()) spec.broke(reason)
    })
  })

  /** Whether it may be asked for now; it is told when not, and waits. */
  const isAdmitted = (line: Line): boolean => {
    const quota = quotaOf(line)
    if (quota === null || quota.take(line)) return true
    line.spec.waits(`all ${quota.lines} are in use: it comes when one of them is given up`, true)
    return false
  }

  /** Of one that nobody waits for: it is tried again while there is no room for it, and told when it cannot be sent at all. */
  const requestPatiently = (link: Link, line: Line): Effect.Effect<void> =>
    Effect.catch(request(link, line), ({ reason }) => {
      // The next connection asks; or nobody wants it any more.
      if (reason._tag === "Disconnected" || !lines.has(line)) return Effect.void
      if (reason._tag !== "OutboundFull") return Effect.sync(() => refuse(line, reason))
      forget(line)
      const again = Effect.suspend(() =>
        lines.has(line) && line.requestId === null ? requestPatiently(link, line) : Effect.void
      )
      return Effect.andThen(Effect.sleep(crowdedFor), again)
    })

  const requestSoon = (line: Line) => {
    if (current === null) return
    const { link, run } = current
    run(requestPatiently(link, line))
  }

  const release = (line: Line) => {
    if (line.spec.sort !== null) account.release(line.spec.sort, line)
  }

  const refuse = (line: Line, reason: IbkrErrorReason) => {
    forget(line)
    lines.delete(line)
    release(line)
    line.spec.refused(reason)
  }

  /** Its place is free when the cancel is on its way, or kept where it is asked for again: what is sent later comes behind it. */
  const giveUp = Effect.fnUntraced(function* (line: Line, isKept: boolean) {
    const { requestId, sent } = line
    const link = current?.link ?? null
    forget(line)
    const freed = Effect.sync(() => {
      if (!isKept) release(line)
    })
    if (requestId === null || !sent || link === null) return yield* freed
    // At once, so that it is in front of a request for the same that follows.
    const cancel = givenUp.cancel(link, requestId, line.spec.cancel)
    yield* Effect.forkDetach(Effect.ensuring(Effect.ignore(cancel), freed), { startImmediately: true })
  })

  /** In the order of the lines, since each takes its place in the outbound line at once. */
  const requestAll = (link: Link, which: Iterable<Line>) =>
    Effect.forEach(
      Array.from(which).filter(isAdmitted),
      (line) => Effect.forkScoped(requestPatiently(link, line), { startImmediately: true }),
      { discard: true }
    )

  const renewEach = Effect.fnUntraced(function* (link: Link, which: ReadonlyArray<Line>, reason: string) {
    for (const line of which) {
      line.spec.broke(reason)
      yield* giveUp(line, true)
    }
    yield* requestAll(link, which)
  })

  /** Asks again for those that stay silent. */
  const verify = Effect.fnUntraced(function* (link: Link, which: ReadonlyArray<Line>, reason: string) {
    const asked = new Map(which.map((line) => [line, line.requestId] as const))
    for (const line of which) line.heard = false
    yield* Effect.sleep(verifyAfter)
    const dead = which.filter(
      (line) => lines.has(line) && line.sent && !line.heard && asked.get(line) === line.requestId
    )
    yield* renewEach(link, dead, reason)
  })

  const ends = (line: Line, why: string): boolean => {
    if (line.ended !== null) return false
    line.ended = why
    return true
  }

  /** The number that was learned grows again, one by one. */
  const growLater = (sort: LineSort) => {
    if (current === null || growing.has(sort)) return
    growing.add(sort)
    const quota = account.of[sort]
    current.run(
      Effect.sleep(growAfter).pipe(
        Effect.andThen(Effect.sync(() => account.grow(sort))),
        Effect.repeat({ while: () => quota.isShrunk }),
        Effect.ensuring(Effect.sync(() => growing.delete(sort)))
      )
    )
  }

  /** The account has no more lines than are in use. */
  const refusedForLines = (line: Line, message: string) => {
    const quota = quotaOf(line)
    if (quota === null) return
    forget(line)
    quota.refuse(line)
    givenUp.repeat(lately)
    line.spec.waits(`${message}: it comes when one of the ${quota.limit} in use is given up`, true)
    growLater(quota.sort)
  }

  return {
    show: account.show,
    cancel: givenUp.cancel,
    late: givenUp.late,
    lease: (sort, within) =>
      Effect.map(account.lease(sort, within), (one) =>
        Effect.sync(() => {
          account.of[sort].refuse(one)
          givenUp.repeat(lately)
          growLater(sort)
        })
      ),
    add: Effect.fnUntraced(function* (spec) {
      const line: Line = {
        spec,
        requestId: null,
        askedAt: Number.NEGATIVE_INFINITY,
        hasty: 0,
        rest: longest,
        ended: null,
        sent: false,
        heard: false
      }
      const removed = Effect.suspend(() => {
        lines.delete(line)
        recent.delete(line)
        return Effect.andThen(giveUp(line, false), Metric.modify(ibkrSubscriptions(spec.type), -1))
      })
      // A finalizer of its own holds nothing of the caller, as one of `acquireRelease` would for as long as the line lives.
      yield* Effect.flatMap(Effect.scope, (own) => {
        lines.add(line)
        return Effect.andThen(Metric.modify(ibkrSubscriptions(spec.type), 1), Scope.addFinalizer(own, removed))
      }).pipe(Effect.uninterruptible)
      if (current === null || !isAdmitted(line)) return
      // Lost meanwhile: the next connection asks.
      yield* Effect.catchIf(
        request(current.link, line),
        ({ reason }) => reason._tag === "Disconnected",
        () => Effect.void
      )
    }),
    attach: Effect.fnUntraced(function* (link) {
      current = { link, run: yield* FiberSet.makeRuntime<never>() }
      givenUp.attach(link, current.run)
      tapesAsked = new Map()
      yield* requestAll(link, lines)
      for (const sort of lineSorts) if (account.of[sort].isShrunk) growLater(sort)
    }),
    detach: (reason) => {
      current = null
      givenUp.detach()
      account.clear(reason)
      away.clear()
      recent.clear()
      for (const line of lines) {
        line.hasty = 0
        line.askedAt = Number.NEGATIVE_INFINITY
        if (line.requestId === null) continue
        forget(line)
        line.spec.broke(reason)
      }
      byId.clear()
    },
    breakAll: (lost, reason) => {
      away.set(lost, reason)
      for (const line of lines) if (line.sent) line.spec.broke(reason)
    },
    renewAll: (link, lost) =>
      Effect.gen(function* () {
        away.delete(lost)
        // There is nothing at the gateway to be given up.
        for (const line of lines) {
          line.spec.broke("the gateway has lost its data")
          forget(line)
        }
        yield* requestAll(link, lines)
      }),
    verifyAll: (link, lost) =>
      Effect.gen(function* () {
        away.delete(lost)
        yield* verify(link, [...lines], "silent since the gateway said that it has its data back")
      }).pipe(Effect.forkScoped, Effect.asVoid),
    doubtLast: (link) =>
      Effect.suspend(() => {
        givenUp.repeat(aMoment)
        const doubted = [...recent].filter((line) => line.sent && !line.heard)
        for (const { spec } of doubted) spec.broke("the gateway has left out a message, which may have asked for it")
        return verify(link, doubted, "silent since the gateway left out a message")
      }).pipe(Effect.forkScoped, Effect.asVoid),
    hears: (requestId) => {
      const line = byId.get(requestId)
      if (line === undefined) {
        givenUp.late(requestId)
        return undefined
      }
      line.heard = true
      return line.ended === null ? line.spec : undefined
    },
    asked: () => Array.from(byId).flatMap(([requestId, { sent }]) => (sent ? [requestId] : [])),
    everyone: () => Array.from(lines, ({ spec }) => spec),
    spoilt: (requestId, why) => {
      const line = byId.get(requestId)
      // One that waits to be asked for again has told so.
      return line?.sent === true && ends(line, why)
    },
    told: (requestId, code, message) => {
      const line = byId.get(requestId)
      if (line === undefined) return false
      const { kind } = meaningOf(code, message, requestId)
      if (kind === "Stale") {
        line.rest = longest
        return ends(line, "the gateway has ended it")
      }
      if (kind === "Competing") {
        line.rest = longestInCompetition
        line.spec.waits(`${message} (${code}): it is asked for again until it comes`)
        return ends(line, "another session had the live data")
      }
      if (kind === "Reset") line.spec.reset?.()
      if (kind === "Delayed") line.spec.dataType?.(3)
      const reason = requestError(code, message)
      if (reason === null) return false
      if (reason._tag === "LinesExhausted") {
        refusedForLines(line, new IbkrError({ reason }).message)
        return false
      }
      refuse(line, reason)
      return false
    },
    renew: Effect.fnUntraced(function* (link, requestId) {
      const line = byId.get(requestId)
      if (line === undefined) return
      line.hasty = (yield* monotonicMillis) - line.askedAt < soon ? line.hasty + 1 : 0
      yield* renewEach(link, [line], line.ended ?? "the gateway has ended it")
    }),
    size: () => lines.size
  }
}
