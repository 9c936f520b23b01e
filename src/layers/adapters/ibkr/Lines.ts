/**
 * Subscriptions that outlive connections: each is asked for again, under a new number, on every connection that becomes ready, and
 * whenever the gateway says or shows that it has forgotten it.
 *
 * Queueing: requests wait in the connection's outbound lines, in the order in which the subscriptions were made. What a subscription
 * hears is told in the callback of the socket, in order, and never waits.
 *
 * Hard cases. Answers to a number that is no longer a subscription's are nobody's. A gateway that gets IB back with its data (1102), or a
 * farm (2104), often leaves some subscriptions dead without a word: those that have been silent for `verifyAfter` since are asked for again, the
 * others are left alone. One that the gateway ends itself (10182, 10225) is given up there and asked for again. One that it refuses ends. Who
 * unsubscribes before the request was sent sends nothing.
 */
import { Effect, type Scope } from "effect"
import type { IbkrError, IbkrErrorReason } from "../../../services/IbkrSession.ts"
import { meaningOf, requestError } from "./codes.ts"
import type { HeldContract } from "./contractSpelled.ts"
import type { GatewayApi } from "./GatewayApi.ts"
import type { Link } from "./Link.ts"

/** What a subscription can hear. Times are seconds since 1970; what IB does not say is undefined. */
export interface LineEvents {
  readonly tickPrice?: (type: number, price: number) => void
  readonly tickSize?: (type: number, size: number | undefined) => void
  readonly trade?: (time: number, price: number, size: number | undefined, exchange: string, conditions: string) => void
  readonly bar?: (
    time: number,
    open: number,
    high: number,
    low: number,
    close: number,
    volume: number,
    vwap: number,
    count: number
  ) => void
  /** A change of a book, as BookState takes it; returns what is wrong with it. */
  readonly depth?: (
    place: number,
    operation: number,
    side: number,
    price: number,
    size: number | undefined
  ) => string | null
  /** The gateway begins its book anew on this request. */
  readonly reset?: () => void
  /** `at` in milliseconds. */
  readonly news?: (at: number, id: string, headline: string) => void
  /** Of no request: everybody hears it. */
  readonly bulletin?: (number: number, text: string, exchange: string) => void
  readonly position?: (contract: HeldContract, count: number | undefined, averageCost: number | undefined) => void
  /** Of an account or, with a position and its value, of that position. */
  readonly profit?: (
    daily: number | undefined,
    unrealized: number | undefined,
    realized: number | undefined,
    position?: number | undefined,
    value?: number | undefined
  ) => void
  readonly accountValue?: (tag: string, value: string, currency: string) => void
  /** What is listed at the beginning has all come. */
  readonly listEnd?: () => void
  /** 1 live, 2 frozen, 3 delayed, 4 delayed and frozen. */
  readonly dataType?: (type: number) => void
  /** The frame of which the calls before this were part has ended. */
  readonly frameEnd?: () => void
  /** All that came at once from the socket has been told: for what is worth telling no more often than that. */
  readonly burstEnd?: () => void
}

/** A subscription, and who hears it. None of its functions may wait. */
export interface LineSpec extends LineEvents {
  readonly what: string
  readonly send: (api: GatewayApi, requestId: number) => void
  readonly cancel: (api: GatewayApi, requestId: number) => void
  /** It was asked for: what happens from now on comes. Again after `broke`. */
  readonly began: () => void
  /** What happens from now on does not come, until `began` or until something is heard. */
  readonly broke: (reason: string) => void
  /** It will not be asked for again. */
  readonly refused: (reason: IbkrErrorReason) => void
}

interface Line {
  readonly spec: LineSpec
  /** On the connection of now; null: not asked for on it. */
  requestId: number | null
  /** It has ended on the connection of now, and is to be asked for again because of this. */
  ended: string | null
  sent: boolean
  heard: boolean
}

export interface Lines {
  /** Until the scope closes. Done when it was asked for, or will be as soon as there is a connection. */
  readonly add: (spec: LineSpec) => Effect.Effect<void, IbkrError, Scope.Scope>
  /** Asks for all on a connection; in its scope. */
  readonly attach: (link: Link) => Effect.Effect<void, never, Scope.Scope>
  readonly detach: (reason: string) => void
  /** The gateway has lost IB, or a farm: nothing comes, and nothing is forgotten yet. */
  readonly breakAll: (reason: string) => void
  /** It has IB back, and says that it has forgotten everything. */
  readonly renewAll: (link: Link) => Effect.Effect<void, never, Scope.Scope>
  /** It is back with all data, as it says. */
  readonly verifyAll: (link: Link) => Effect.Effect<void, never, Scope.Scope>
  readonly hears: (requestId: number) => LineEvents | undefined
  readonly everyone: () => Iterable<LineEvents>
  /** What is told of a subscription is of no use any more; true where it now has to be asked for again. */
  readonly spoilt: (requestId: number, why: string) => boolean
  /** What it says about a subscription; true where that has to be asked for again. */
  readonly told: (requestId: number, code: number, message: string) => boolean
  /** Asks again for the subscription of a number. */
  readonly renew: (link: Link, requestId: number) => Effect.Effect<void, never, Scope.Scope>
  readonly size: () => number
}

const verifyAfter = "10 seconds"

export const make = (nextId: () => number): Lines => {
  const lines = new Set<Line>()
  const byId = new Map<number, Line>()
  let current: Link | null = null

  const forget = (line: Line) => {
    if (line.requestId !== null) byId.delete(line.requestId)
    line.requestId = null
    line.ended = null
    line.sent = false
  }

  const request = Effect.fnUntraced(function* (link: Link, line: Line) {
    const requestId = nextId()
    line.requestId = requestId
    byId.set(requestId, line)
    yield* link.clockTold
    yield* link.outbound.send("subscribe", () => {
      if (line.requestId !== requestId) return
      line.spec.send(link.api, requestId)
      line.sent = true
      line.heard = false
      line.spec.began()
    })
  })

  const giveUp = Effect.fnUntraced(function* (line: Line) {
    const { requestId, sent } = line
    const link = current
    forget(line)
    if (requestId === null || !sent || link === null) return
    // It has its place in the line before a request that takes its own: an account whose lines are all in use has none for both.
    yield* Effect.forkDetach(Effect.ignore(link.outbound.send("cancel", () => line.spec.cancel(link.api, requestId))), {
      startImmediately: true
    })
  })

  /** In the order of the lines, since each takes its place in the outbound line at once. */
  const requestAll = (link: Link, which: Iterable<Line>) =>
    Effect.forEach(which, (line) => Effect.forkScoped(Effect.ignore(request(link, line)), { startImmediately: true }), {
      discard: true
    })

  const renewEach = Effect.fnUntraced(function* (link: Link, which: ReadonlyArray<Line>, reason: string) {
    for (const line of which) {
      line.spec.broke(reason)
      yield* giveUp(line)
    }
    yield* requestAll(link, which)
  })

  const ends = (line: Line, why: string): boolean => {
    if (line.ended !== null) return false
    line.ended = why
    return true
  }

  return {
    add: Effect.fnUntraced(function* (spec) {
      const line: Line = { spec, requestId: null, ended: null, sent: false, heard: false }
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          lines.add(line)
        }),
        () =>
          Effect.suspend(() => {
            lines.delete(line)
            return giveUp(line)
          })
      )
      if (current === null) return
      // Lost meanwhile: the next connection asks.
      yield* Effect.catchIf(
        request(current, line),
        ({ reason }) => reason._tag === "Disconnected",
        () => Effect.void
      )
    }),
    attach: (link) =>
      Effect.suspend(() => {
        current = link
        return requestAll(link, lines)
      }),
    detach: (reason) => {
      current = null
      for (const line of lines) {
        if (line.requestId === null) continue
        forget(line)
        line.spec.broke(reason)
      }
      byId.clear()
    },
    breakAll: (reason) => {
      for (const line of lines) if (line.sent) line.spec.broke(reason)
    },
    renewAll: (link) =>
      Effect.gen(function* () {
        // There is nothing at the gateway to be given up.
        for (const line of lines) {
          line.spec.broke("the gateway has lost its data")
          forget(line)
        }
        yield* requestAll(link, lines)
      }),
    verifyAll: (link) =>
      Effect.gen(function* () {
        const asked = new Map([...lines].map((line) => [line, line.requestId] as const))
        for (const line of lines) line.heard = false
        yield* Effect.sleep(verifyAfter)
        const dead = [...lines].filter((line) => line.sent && !line.heard && asked.get(line) === line.requestId)
        yield* renewEach(link, dead, "silent since the gateway said that it has its data back")
      }).pipe(Effect.forkScoped, Effect.asVoid),
    hears: (requestId) => {
      const line = byId.get(requestId)
      if (line === undefined) return undefined
      line.heard = true
      return line.ended === null ? line.spec : undefined
    },
    everyone: () => Array.from(lines, ({ spec }) => spec),
    spoilt: (requestId, why) => {
      const line = byId.get(requestId)
      return line !== undefined && ends(line, why)
    },
    told: (requestId, code, message) => {
      const line = byId.get(requestId)
      if (line === undefined) return false
      const { kind } = meaningOf(code, message, requestId)
      if (kind === "Stale") return ends(line, "the gateway has ended it")
      if (kind === "Reset") line.spec.reset?.()
      if (kind === "Delayed") line.spec.dataType?.(3)
      const reason = requestError(code, message)
      if (reason === null) return false
      forget(line)
      lines.delete(line)
      line.spec.refused(reason)
      return false
    },
    renew: (link, requestId) => {
      const line = byId.get(requestId)
      return line === undefined ? Effect.void : renewEach(link, [line], line.ended ?? "the gateway has ended it")
    },
    size: () => lines.size
  }
}
