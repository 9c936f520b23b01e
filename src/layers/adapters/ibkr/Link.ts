/**
 * One connection to a gateway, from the socket to its end. It opens when the gateway has said its version, the accounts and the next
 * order number: what is sent before that a gateway may drop. It never mends itself; the session makes another.
 *
 * Responsibilities: the deadlines of the handshake, the guard in front of the library, liveness, the pace of what is sent, and the table
 * of requests. All of it ends with the scope: listeners are off, the socket is destroyed, waiters have failed.
 *
 * Queueing: what the gateway says of itself goes into a mailbox of `mailbox` notices that the session's fiber empties; a gateway that
 * says more than that in one turn is given up, since a lost "your data is gone" would be a silent gap. Frames are worked on inside the
 * socket's own callback, which never waits.
 *
 * Hard cases. A half-open connection has no error: after `probeAfter` without a frame the gateway is asked for the time, and after
 * `silence` without one the socket is destroyed. Clocks drift and are set: the gateway is asked for its own once a minute, since what is said to be
 * complete is said in its time. A frame that makes the library throw would end the process, because the library is
 * called from the socket: it is called by the guard, and what it throws ends this connection alone. A listener of ours that throws is
 * counted and stops nobody else.
 */
import { Clock, Deferred, Effect, Queue, type Scope } from "effect"
import {
  ClientIdTaken,
  Disconnected,
  IbkrError,
  type IbkrErrorReason,
  Incompatible,
  NoAnswer,
  Undecodable
} from "../../../services/IbkrSession.ts"
import { meaningOf, portOf } from "./codes.ts"
import { makeFrameGuard } from "./FrameGuard.ts"
import { isOfSubscription, messageIds, requestIdOf } from "./frames.ts"
import type { GatewayApi } from "./GatewayApi.ts"
import type { Lines } from "./Lines.ts"
import { makeApi, tapped } from "./library.ts"
import { listen } from "./lineEvents.ts"
import * as OrderDesk from "./OrderDesk.ts"
import * as Outbound from "./Outbound.ts"
import * as Pending from "./Pending.ts"

/** Durations are milliseconds. */
export interface LinkOptions extends Outbound.OutboundOptions {
  readonly host: string
  readonly port: number
  /** From the beginning to a socket, from there to the gateway's version, and from there to its accounts. */
  readonly deadlines: { readonly tcp: number; readonly version: number; readonly ready: number }
  readonly probeAfter: number
  readonly silence: number
  readonly maxAnswer: number
}

/** A word of the gateway about itself. `skew`: its clock minus ours in milliseconds, right to half a second. */
export type Word =
  | { readonly _tag: "Said"; readonly code: number; readonly message: string }
  | { readonly _tag: "Clock"; readonly skew: number }
  /** Of a subscription that it has ended, and that is to be asked for again. */
  | { readonly _tag: "Ended"; readonly requestId: number }

/** Counted over all connections of a session. */
export interface Tally {
  frames: number
  bytes: number
  damaged: number
  undecodable: number
  late: number
  sent: number
  defects: number
}

/** What is told of a connection before it is ready, or as it ends. */
export interface LinkHooks {
  /** Null: the socket is there, and the gateway has not said its version. */
  readonly onVersion: (serverVersion: number | null) => Effect.Effect<void>
  /** The gateway goes to another port, and the connection ends. */
  readonly onMoved: (port: number) => void
  /** The gateway's clock at this moment in epoch milliseconds, right to half a second. */
  readonly onClock: (vendorNow: number) => void
}

export interface Handshake {
  readonly serverVersion: number
  readonly connectedAt: string
  readonly accounts: ReadonlyArray<string>
  /** The first number that an order of this client may have. */
  readonly nextOrder: number
}

export interface Link extends Handshake {
  readonly api: GatewayApi
  readonly outbound: Outbound.Outbound
  readonly pending: Pending.Pending
  readonly orders: OrderDesk.OrderDesk
  readonly words: Queue.Dequeue<Word>
  /** Done when the gateway has told its clock, or takes too long to. */
  readonly clockTold: Effect.Effect<void>
  /** Fails with the reason for the end. */
  readonly lost: Effect.Effect<never, IbkrError>
}

const mailbox = 4096
const clockPatience = "2 seconds"
/** How long what the gateway has said of its clock is taken for right, in milliseconds. */
const clockLasts = 60_000

/** Layouts of older versions differ, and no gateway that IB still lets log in speaks them. */
const oldest = 176

const because = (reason: IbkrErrorReason) => new IbkrError({ reason })
const gone = (message: string) => because(new Disconnected({ message }))

/** What is said of one step of the handshake that took too long. */
const tooLate = (what: string, after: number) =>
  because(new NoAnswer({ message: `${what} within ${after / 1000} s`, after }))

export const open = Effect.fnUntraced(function* (
  options: LinkOptions,
  clientId: number,
  tally: Tally,
  lines: Pick<Lines, "hears" | "everyone" | "asked" | "told" | "spoilt" | "late">,
  { onClock, onMoved, onVersion }: LinkHooks
): Effect.fn.Return<Link, IbkrError, Scope.Scope> {
  const { deadlines, host, port } = options
  const place = `${host}:${port}`
  const clock = yield* Clock.Clock
  const nowMillis = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const lost = yield* Deferred.make<never, IbkrError>()
  const words = yield* Queue.dropping<Word>(mailbox)
  const pending = Pending.make(options.maxAnswer)
  const orders = OrderDesk.make(options.maxAnswer)
  const library = yield* Effect.promise(() => makeApi(host, port))
  const { api, events } = library

  let ended = false
  const end = (error: IbkrError) => {
    ended = true
    Deferred.doneUnsafe(lost, Effect.fail(error))
  }
  const tell = (word: Word) => {
    if (!Queue.offerUnsafe(words, word)) end(gone(`${place} said more about itself than can be read`))
  }
  const say = (code: number, message: string) => tell({ _tag: "Said", code, message })
  /**
   * A listener that cannot throw into the library, whose state it would break. What it failed on may have been a row, so the connection ends, and
   * with it every stream says so.
   */
  const listener =
    <Args extends ReadonlyArray<unknown>>(handle: (...args: Args) => void) =>
    (...args: Args) => {
      if (ended) return
      try {
        handle(...args)
      } catch (cause) {
        tally.defects += 1
        end(because(new Undecodable({ message: `what ${place} sent could not be dealt with: ${String(cause)}` })))
      }
    }

  let socketError: string | null = null
  const accounts = yield* Deferred.make<ReadonlyArray<string>>()
  const greeted = yield* Deferred.make<{ readonly serverVersion: number; readonly connectedAt: string }>()
  const numbered = yield* Deferred.make<number>()
  const connected = yield* Deferred.make<void>()
  const told = yield* Deferred.make<void>()
  /** By the monotonic clock. */
  let askedTimeAt: number | null = null

  /** Of the frame that the library reads now: it has said that it cannot, and somebody was told what is in it. */
  let unread = false
  let delivered = false

  /** About this end or this connection; what a request was told is the table's. */
  const heard = (code: number, message: string, requestId: number) => {
    const meaning = meaningOf(code, message, requestId)
    if (requestId >= 0 && lines.told(requestId, code, message)) return tell({ _tag: "Ended", requestId })
    switch (meaning.kind) {
      case "ClientId":
        return end(because(new ClientIdTaken({ clientId, message: `${place}: client id ${clientId} is in use` })))
      case "Version":
        return end(because(new Incompatible({ message: `${place}: ${message}; versions 176 to 193 are understood` })))
      case "Decode":
        tally.undecodable += 1
        unread = true
        return say(code, message)
      case "Connection":
        if (code === 1300) {
          const moved = portOf(message)
          if (moved !== null) onMoved(moved)
        }
        socketError = message
        return code === 502 ? undefined : end(gone(`${place}: ${message}`))
      default:
        return meaning.scope === "session" || requestId === -1 ? say(code, message) : undefined
    }
  }

  api.on(
    events.error,
    listener((error, code, requestId) => heard(code, error.message, requestId))
  )
  api.on(
    events.info,
    listener((message, code) => heard(code, message, -1))
  )
  api.on(
    events.disconnected,
    listener(() =>
      end(gone(socketError === null ? `${place} closed the connection` : `no connection to ${place}: ${socketError}`))
    )
  )
  api.on(
    events.server,
    listener((serverVersion, connectedAt) => {
      Deferred.doneUnsafe(greeted, Effect.succeed({ serverVersion, connectedAt }))
    })
  )
  api.on(
    events.managedAccounts,
    listener((list) => {
      Deferred.doneUnsafe(accounts, Effect.succeed(list.split(",").filter((account) => account !== "")))
    })
  )
  api.on(
    events.nextValidId,
    listener((order: number) => {
      Deferred.doneUnsafe(numbered, Effect.succeed(order))
    })
  )
  api.on(
    events.currentTime,
    listener((seconds) => {
      if (askedTimeAt !== null) {
        // It is told in whole seconds, on the way between both ends: the middle is the likeliest.
        const vendorNow = seconds * 1000 + 500 + (nowMillis() - askedTimeAt) / 2
        onClock(vendorNow)
        tell({ _tag: "Clock", skew: vendorNow - clock.currentTimeMillisUnsafe() })
      }
      Deferred.doneUnsafe(told, Effect.void)
    })
  )
  api.on(
    events.sent,
    listener(() => {
      tally.sent += 1
    })
  )

  const spoilt = (requestId: number, why: string) => {
    if (lines.spoilt(requestId, why)) tell({ _tag: "Ended", requestId })
  }
  const hears: Lines["hears"] = (requestId) => {
    delivered = true
    return lines.hears(requestId)
  }
  const { burstEnd, frameEnd } = listen(library, { ...lines, hears }, listener, spoilt)

  /**
   * A frame that the library passed over may have been a tick: whose it was has a gap and is asked for again, which also makes whole what only
   * tells changes. One that does not say whose it was may have been anybody's. That a frame has more in it than the library knows loses nothing.
   */
  const passedOver = (frame: Uint8Array, messageId: number) => {
    if (!isOfSubscription(messageId)) return
    const named = requestIdOf(frame, messageId)
    for (const requestId of named < 0 ? lines.asked() : [named])
      spoilt(requestId, "a message about it could not be read")
  }

  const openedAt = nowMillis()
  let heardAt = openedAt
  let probed = false
  const { read, socket } = yield* Effect.acquireRelease(
    Effect.sync(() => {
      api.connect(clientId)
      return tapped(api)
    }),
    (tap) =>
      Effect.sync(() => {
        ended = true
        api.removeAllListeners()
        // What may still come of it is nobody's, and an error without a listener would end the process.
        tap.socket.removeAllListeners("data").on("error", () => {})
        tap.socket.destroy()
        pending.failAll(gone("the connection ended before the answer came"))
        orders.failAll(gone("the connection ended before the gateway said what came of it"))
      })
  )
  socket.setNoDelay(true)
  socket.once("connect", () => Deferred.doneUnsafe(connected, Effect.void))

  const guard = makeFrameGuard((frame, messageId) => {
    if (ended) return
    tally.frames += 1
    tally.bytes += frame.length
    const taken = pending.take(frame, messageId)
    if (taken === "late") {
      tally.late += 1
      if (messageId !== messageIds.error) lines.late(requestIdOf(frame, messageId))
    }
    if (taken !== "not-ours" || orders.take(frame, messageId)) return
    try {
      unread = false
      delivered = false
      read(frame)
      if (unread && !delivered) passedOver(frame, messageId)
      frameEnd()
    } catch (cause) {
      damaged(`a frame of message ${messageId}: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  })
  const damaged = (message: string) => {
    if (ended) return
    tally.damaged += 1
    end(because(new Undecodable({ message: `${place} sent what cannot be read: ${message}` })))
  }
  socket.on("data", (chunk: Buffer) => {
    if (ended) return
    heardAt = nowMillis()
    probed = false
    const damage = guard.push(chunk)
    burstEnd()
    if (damage !== null) damaged(damage.message)
  })

  const outbound = yield* Outbound.make(options)
  const askTime = outbound.send("probe", () => {
    askedTimeAt = nowMillis()
    api.reqCurrentTime()
  })

  const watch = Effect.gen(function* () {
    while (!ended) {
      const quiet = nowMillis() - heardAt
      if (quiet >= options.silence) {
        return end(gone(`${place} has been silent for ${Math.round(quiet / 1000)} s`))
      }
      const isQuiet = quiet >= options.probeAfter && !probed
      if (isQuiet || nowMillis() - (askedTimeAt ?? openedAt) >= clockLasts) {
        probed ||= isQuiet
        yield* Effect.ignore(askTime)
      }
      const due = probed ? options.silence : options.probeAfter
      yield* Effect.sleep(Math.max(1, Math.ceil(Math.min(options.probeAfter, due - (nowMillis() - heardAt)))))
    }
  })

  const step = <A>(result: Deferred.Deferred<A>, within: number, what: string): Effect.Effect<A, IbkrError> =>
    Effect.raceFirst(
      Deferred.await(result).pipe(
        Effect.timeoutOrElse({ duration: within, orElse: () => Effect.fail(tooLate(what, within)) })
      ),
      Deferred.await(lost)
    )

  yield* step(connected, deadlines.tcp, `no connection to ${place}`)
  yield* onVersion(null)
  const greeting = yield* step(
    greeted,
    deadlines.version,
    `${place} took the connection and said no version (is it a gateway, and does it trust this address?)`
  )
  yield* onVersion(greeting.serverVersion)
  if (greeting.serverVersion < oldest) {
    const message = `${place} speaks version ${greeting.serverVersion}; ${oldest} to 193 are understood: update it`
    return yield* because(new Incompatible({ message }))
  }
  const handshake = yield* step(accounts, deadlines.ready, `${place} said no accounts`)
  const nextOrder = yield* step(numbered, deadlines.ready, `${place} said no order number`)
  heardAt = nowMillis()
  yield* Effect.forkScoped(watch)
  yield* Effect.forkScoped(Effect.ignore(askTime))
  // One that has a clock tells it at once.
  yield* Effect.forkScoped(Effect.andThen(Effect.sleep(clockPatience), Deferred.succeed(told, undefined)))
  return {
    ...greeting,
    accounts: handshake,
    nextOrder,
    api,
    outbound,
    pending,
    orders,
    words,
    clockTold: Deferred.await(told),
    lost: Deferred.await(lost)
  }
})
