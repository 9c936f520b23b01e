/**
 * The session: one fiber that makes a connection, tends it until it is lost, and makes the next.
 *
 * Responsibilities: the state that everybody sees, the numbers of requests, which client id is tried, and how long to wait before the
 * next attempt. What a connection does while it lives is Link's.
 *
 * Queueing: events go to a sliding buffer of 1,024 for each reader. The state is one value that late readers get at once. Requests wait
 * in their connection's outbound lines, and nothing is handed to a connection that is not ready.
 *
 * Hard cases. A connection that ends before it was ready sent nothing: what its users wanted to ask was never put into it. The pause
 * grows over attempts that fail and starts small again only after a connection has lasted half a minute, so that a gateway that takes
 * and drops connections is not asked in a tight loop. Where another client has the id, the next of the pool is tried, after five
 * seconds at the least: a gateway keeps the id of a client that died for a while. A version that this client does not speak ends the
 * session. A session that nobody has needed makes no connection. A gateway that goes to another port is looked for there, and where it was by turns
 * until it is found. One that has lost IB keeps its socket, and is connected to anew when IB has been away for longer than that mends itself; while IB resets
 * its servers it is waited for. One that found us too fast finds the next connection as slow.
 */
import {
  Clock,
  Deferred,
  Effect,
  FiberHandle,
  Latch,
  Layer,
  Metric,
  Option,
  PubSub,
  Queue,
  type Scope,
  Stream,
  SubscriptionRef
} from "effect"
import {
  Disconnected,
  type IbkrCounters,
  IbkrError,
  type IbkrEvent,
  IbkrSession,
  type IbkrState,
  NoAnswer
} from "../../../services/IbkrSession.ts"
import { ibkrDecodeErrors, ibkrReconnects, ibkrStatus } from "../../../services/Metrics.ts"
import { pulled } from "../../metrics/pulled.ts"
import { makeAsk } from "./asking.ts"
import type { LineLimits } from "./LineQuota.ts"
import type { LineSpec } from "./LineSpec.ts"
import * as Lines from "./Lines.ts"
import * as Link from "./Link.ts"
import { firstRequest } from "./OrderDesk.ts"
import type { AnswerOfGateway, Question } from "./Question.ts"
import { backoff, nextClientId, type ReconnectOptions, upstreamGone } from "./reconnect.ts"
import { resetEnd } from "./resetWindows.ts"
import { makeOrders, type SessionOrders } from "./sessionOrders.ts"
import { after, atFirst, lossOf, type Standing, stateOf } from "./upstream.ts"

/** Durations are milliseconds. */
export interface SessionOptions extends Link.LinkOptions {
  /** The first of the ids that this client may use. */
  readonly clientId: number
  /** How many it may use, counted from the first. */
  readonly clientIds: number
  readonly reconnect: ReconnectOptions
  /** When IB resets its servers; see `resetEnd`. */
  readonly resets: ReadonlyArray<string>
  /** How long a gateway may be without IB, outside of a reset. */
  readonly upstreamPatience: number
  /** What the gateway is told of live data: 1 as it is, 3 delayed where the account may not have it. */
  readonly marketDataType: 1 | 3
  /** Subscriptions that the account has at once, as far as is known before it refuses one. */
  readonly lines: LineLimits
  /** How long a request waits for a gateway that has been there and is away. */
  readonly patience: number
}

/** A session as the adapter uses it. */
export type Session = IbkrSession["Service"] &
  SessionOrders & {
    /** Asks once: no retry and no cache. Interrupted, the request is given up at the gateway too. */
    readonly ask: (question: Question) => Effect.Effect<AnswerOfGateway, IbkrError>
    /** Asks for a stream, and asks again whenever that is needed, until the scope closes. */
    readonly subscribe: (spec: LineSpec) => Effect.Effect<void, IbkrError, Scope.Scope>
    /** That of now, or the last; null before the first. */
    readonly connection: () => number | null
    /** The gateway's clock, as far as it is known; until then ours. */
    readonly vendorNow: () => number
    readonly ourNow: () => number
  }

type Gateway = Omit<Extract<IbkrState, { readonly _tag: "Ready" }>, "_tag" | "farms">
type Connected = Extract<IbkrState, { readonly _tag: "Ready" | "Degraded" }>

/** A connection that lasted this long was a good one. */
const lasting = 30_000

/** For so long a gateway that found us too fast is asked as slowly. */
const wary = 600_000

/** Lives in the scope of its maker. */
export const make = Effect.fnUntraced(function* (
  options: SessionOptions
): Effect.fn.Return<Session, never, Scope.Scope> {
  const state = yield* SubscriptionRef.make<IbkrState>({ _tag: "Idle" })
  const events = yield* PubSub.sliding<IbkrEvent>(1024)
  const wanted = yield* Latch.make()
  const tally: Link.Tally = { frames: 0, bytes: 0, damaged: 0, undecodable: 0, late: 0, sent: 0, defects: 0 }
  let reconnects = 0
  let requests = firstRequest
  let connections = 0
  let link: Link.Link | null = null
  /** The gateway's clock when it was told, and the monotonic one then: ours may be set at any time. */
  let vendorClock: { readonly told: number; readonly at: number } | null = null
  let slowed: { readonly rate: number; readonly at: number } | null = null
  const resetOver = resetEnd(options.resets)
  const lines = Lines.make(() => requests++, options.lines)
  yield* lines.show
  yield* pulled(ibkrDecodeErrors("damaged"), () => ({ count: tally.damaged, incremental: true }))
  yield* pulled(ibkrDecodeErrors("undecodable"), () => ({ count: tally.undecodable, incremental: true }))
  const withoutIb = new IbkrError({
    reason: new Disconnected({
      message: `${options.host} has been without IB for ${options.upstreamPatience / 1000} s`
    })
  })
  const clock = yield* Clock.Clock
  const monotonic = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

  const enter = Effect.fnUntraced(function* (next: IbkrState) {
    yield* Metric.modify(ibkrStatus(SubscriptionRef.getUnsafe(state)._tag), -1)
    yield* Metric.modify(ibkrStatus(next._tag), 1)
    yield* SubscriptionRef.set(state, next)
  })

  const publish = (event: IbkrEvent) => PubSub.publish(events, event)

  /** What the gateway says of itself while it is connected; `deserted` is told when it is to be given up. */
  const tend = Effect.fnUntraced(function* (
    live: Link.Link,
    opened: Gateway,
    deserted: Deferred.Deferred<never, IbkrError>
  ) {
    let gateway = opened
    let standing: Standing = atFirst
    const upstream = yield* FiberHandle.make()
    while (true) {
      const word = yield* Queue.take(live.words)
      if (word._tag === "Ended") {
        yield* lines.renew(live, word.requestId)
        continue
      }
      if (word._tag === "Clock") {
        gateway = { ...gateway, clockSkew: word.skew }
        yield* enter(stateOf(gateway, standing))
        continue
      }
      const now = yield* Clock.currentTimeMillis
      if (word.code === 100) {
        yield* live.outbound.slowDown
        slowed = { rate: yield* live.outbound.rate, at: now }
        yield* lines.doubtLast(live)
      }
      const next = after(standing, word, now)
      if (next.standing !== standing) {
        standing = next.standing
        yield* enter(stateOf(gateway, standing))
      }
      // Each time: what has come since it was said before did not come for good, and streams that went on with it have another gap.
      const loss = lossOf(word)
      if (loss !== null) lines.breakAll(loss.what, loss.why)
      if (next.event === null) continue
      if (next.event._tag === "UpstreamLost") {
        yield* FiberHandle.run(
          upstream,
          Effect.andThen(upstreamGone(options.upstreamPatience, resetOver), Deferred.fail(deserted, withoutIb))
        )
      } else if (next.event._tag === "UpstreamRestored") yield* FiberHandle.clear(upstream)
      yield* tellLines(live, next.event)
      yield* publish(next.event)
      yield* Effect.logInfo(`ibkr: ${word.message}`).pipe(Effect.annotateLogs({ code: word.code }))
    }
  })

  const tellLines = (live: Link.Link, event: IbkrEvent): Effect.Effect<void, never, Scope.Scope> => {
    switch (event._tag) {
      case "UpstreamRestored":
        return event.dataLost ? lines.renewAll(live, "IB") : lines.verifyAll(live, "IB")
      case "FarmRestored":
        return event.farm.serves === "market" ? lines.verifyAll(live, event.farm.name) : Effect.void
      default:
        return Effect.void
    }
  }

  /** From the attempt to its end; how long it was ready comes with the error that ended it. */
  const connect = Effect.fnUntraced(function* (attempt: number, clientId: number, port: number) {
    let readyAt: number | null = null
    let movedTo: number | null = null
    const wasSlowed = slowed !== null && (yield* Clock.currentTimeMillis) - slowed.at < wary
    const at = { ...options, port, rate: wasSlowed && slowed !== null ? slowed.rate : options.rate }
    const ended = yield* Effect.scoped(
      Effect.gen(function* () {
        yield* enter({ _tag: "Connecting", attempt, clientId })
        const live = yield* Link.open(at, clientId, tally, lines, {
          onVersion: (serverVersion) => enter({ _tag: "Handshaking", attempt, clientId, serverVersion }),
          onMoved: (to) => {
            movedTo = to
          },
          onClock: (told) => {
            vendorClock = { told, at: monotonic() }
          }
        })
        connections += 1
        const connection = connections
        readyAt = yield* Clock.currentTimeMillis
        const gateway: Gateway = {
          connection,
          clientId,
          serverVersion: live.serverVersion,
          connectedAt: live.connectedAt,
          accounts: live.accounts,
          clockSkew: null
        }
        link = live
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            link = null
          })
        )
        yield* enter(stateOf(gateway, atFirst))
        yield* publish({ _tag: "Connected", connection, at: readyAt })
        const deserted = yield* Deferred.make<never, IbkrError>()
        return yield* Effect.gen(function* () {
          yield* Effect.logInfo(`ibkr: ready at ${options.host}:${port} as client ${clientId}`)
          if (options.marketDataType !== 1) {
            yield* live.outbound.send("probe", () => live.api.reqMarketDataType(options.marketDataType))
          }
          yield* lines.attach(live)
          return yield* Effect.raceAllFirst([live.lost, Deferred.await(deserted), tend(live, gateway, deserted)])
        }).pipe(Effect.annotateLogs({ connection }))
      })
    ).pipe(
      // Else nobody would try again, and whoever waits for the session would wait for ever.
      Effect.catchDefect((defect) =>
        Effect.andThen(
          Effect.logError("ibkr: a connection failed here", defect),
          Effect.fail(new IbkrError({ reason: new Disconnected({ message: "it failed here; the log says how" }) }))
        )
      ),
      Effect.flip
    )
    lines.detach(ended.message)
    const now = yield* Clock.currentTimeMillis
    if (readyAt === null) return { error: ended, lasted: null, movedTo }
    yield* publish({ _tag: "Lost", connection: connections, at: now, cause: ended.reason })
    return { error: ended, lasted: now - readyAt, movedTo }
  })

  const run = Effect.gen(function* () {
    yield* wanted.await
    let { clientId, port } = options
    let elsewhere: number | null = null
    let attempt = 1
    while (true) {
      const { error, lasted, movedTo } = yield* connect(attempt, clientId, port)
      const cause = error.reason
      // However often it goes on: one that is started anew is where it was configured.
      if (movedTo !== null) [elsewhere, port] = [movedTo === options.port ? port : options.port, movedTo]
      else if (lasted === null && elsewhere !== null) [elsewhere, port] = [port, elsewhere]
      if (cause._tag === "Incompatible") {
        yield* enter({ _tag: "Closed", cause })
        return yield* Effect.logError(`ibkr: ${error.message}`)
      }
      attempt = (lasted ?? 0) >= lasting ? 1 : attempt + 1
      const taken = cause._tag === "ClientIdTaken"
      if (taken) clientId = nextClientId(clientId, options.clientId, options.clientIds)
      const now = yield* Clock.currentTimeMillis
      const over = resetOver(now)
      const pause = yield* backoff(Math.max(1, attempt - 1), options.reconnect, over === null ? null : over - now)
      const wait = taken ? Math.max(options.reconnect.clientId, pause) : pause
      reconnects += 1
      yield* Metric.update(ibkrReconnects, 1)
      yield* enter({ _tag: "Reconnecting", attempt, after: wait, clientId, cause })
      yield* Effect.logWarning(
        `ibkr: ${error.message}; attempt ${attempt} in ${wait} ms${over === null ? "" : ", in the hours in which IB resets its servers"}`
      ).pipe(Effect.annotateLogs({ connection: connections }))
      yield* Effect.sleep(wait)
    }
  })

  const isConnected = (now: IbkrState): now is Connected => now._tag === "Ready" || now._tag === "Degraded"

  /** Null: wait. */
  const verdict = (now: IbkrState): Effect.Effect<Connected, IbkrError> | null => {
    // One whose connection has just ended is on its way to another state.
    if (isConnected(now)) return link === null || (now._tag === "Degraded" && now.upstream) ? null : Effect.succeed(now)
    if (now._tag === "Closed") {
      return Effect.fail(
        new IbkrError({ reason: now.cause ?? new Disconnected({ message: "the session to the gateway is closed" }) })
      )
    }
    // One that has been there is coming back, as a rule.
    if (now._tag !== "Reconnecting" || connections > 0 || now.cause._tag === "ClientIdTaken") return null
    return Effect.fail(new IbkrError({ reason: now.cause }))
  }

  const tooLong = Effect.suspend(() => {
    const now = SubscriptionRef.getUnsafe(state)
    const why =
      now._tag === "Reconnecting"
        ? now.cause.message
        : now._tag === "Degraded"
          ? "the gateway has lost its line to IB"
          : `it is still ${now._tag.toLowerCase()}`
    const message = `no gateway at ${options.host}:${options.port} within ${options.patience / 1000} s: ${why}`
    return Effect.fail(new IbkrError({ reason: new NoAnswer({ message, after: options.patience }) }))
  })

  // A reader that is behind needs the last state and not each.
  const changes = Stream.buffer(SubscriptionRef.changes(state), { capacity: 16, strategy: "sliding" })

  const ready: Session["ready"] = Effect.gen(function* () {
    wanted.openUnsafe()
    const found = verdict(SubscriptionRef.getUnsafe(state))
    if (found !== null) return yield* found
    const settled = yield* SubscriptionRef.changes(state).pipe(
      Stream.map(verdict),
      Stream.filter((known) => known !== null),
      Stream.runHead
    )
    return yield* Option.getOrElse(settled, () => tooLong)
  }).pipe(
    Effect.timeoutOrElse({ duration: options.patience, orElse: () => tooLong }),
    Effect.withSpan("IbkrSession.ready")
  )

  yield* Metric.modify(ibkrStatus("Idle"), 1)
  yield* Effect.forkScoped(run)
  yield* Effect.addFinalizer(() => enter({ _tag: "Closed", cause: null }))

  const ask = makeAsk({ ready, link: () => link, nextId: () => requests++, lines })

  const orders = yield* makeOrders({
    ready,
    now: () => {
      const current = SubscriptionRef.getUnsafe(state)
      return link === null || !isConnected(current) ? null : { link, state: current }
    }
  })

  const subscribe: Session["subscribe"] = Effect.fn("IbkrSession.subscribe")(function* (spec) {
    yield* ready
    yield* lines.add(spec)
  })

  return {
    subscribe,
    connection: () => (connections === 0 ? null : connections),
    ...orders,
    ourNow: () => clock.currentTimeMillisUnsafe(),
    vendorNow: () =>
      vendorClock === null ? clock.currentTimeMillisUnsafe() : vendorClock.told + monotonic() - vendorClock.at,
    state: SubscriptionRef.get(state),
    changes,
    events: Stream.fromPubSub(events),
    ready,
    counters: Effect.sync((): IbkrCounters => ({ ...tally, reconnects, connections, lines: lines.size() })),
    ask
  }
})

/** A session of its own, for whoever wants to see a gateway and no more. */
export const layer = (options: SessionOptions): Layer.Layer<IbkrSession> => Layer.effect(IbkrSession, make(options))
