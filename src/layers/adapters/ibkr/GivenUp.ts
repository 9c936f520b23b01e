/**
 * What was given up at a gateway, and whether the gateway has heard it: a request that it goes on with takes a line of the account for as long as the
 * connection lasts, and nobody here would know.
 *
 * Queueing: a cancel waits in the outbound line of cancels. Numbers are used once in the life of the process, so that a cancel that is sent twice cancels
 * nothing else; the gateway says of the second that it knows no such request (300).
 *
 * Hard cases. A gateway that was sent too much (100) leaves a message out and does not say which: the cancels of the last moment are sent again. It says that
 * there is no line though some were given up a moment ago: those, too. Data that go on coming for a number that was cancelled: a little of it is on its way as a
 * rule, so it is cancelled again only when some comes later, each time after a pause. Each is sent a few times more and then left, with a line in the log.
 */
import { Effect } from "effect"
import type { IbkrError } from "../../../services/IbkrSession.ts"
import { monotonicMillis } from "../../monotonicMillis.ts"
import type { GatewayApi } from "./GatewayApi.ts"
import type { Outbound } from "./Outbound.ts"

/** Where it is sent. */
export interface CancelLink {
  readonly api: GatewayApi
  readonly outbound: Pick<Outbound, "send">
}

type Cancel = (api: GatewayApi, requestId: number) => void

interface One {
  readonly requestId: number
  readonly cancel: Cancel
  /** When it was sent last, by the monotonic clock, and how often it was sent again. */
  at: number
  again: number
  /** Something came for it since that was looked at last. */
  came: boolean
  watched: boolean
}

export interface GivenUp {
  /** Done when it is on its way. */
  readonly cancel: (link: CancelLink, requestId: number, cancel: Cancel) => Effect.Effect<void, IbkrError>
  /** Something came for a number that is nobody's. */
  readonly late: (requestId: number) => void
  /** Sends again what was sent in the last `within` milliseconds. */
  readonly repeat: (within: number) => void
  /** On a connection, until `detach`; `run` runs what lives as long as it does. */
  readonly attach: (link: CancelLink, run: (effect: Effect.Effect<void>) => void) => void
  readonly detach: () => void
}

const mostAgain = 3
const remembered = 1_000
/** What is on its way when a cancel is sent has come by then. */
const grace = "2 seconds"

export const make = (): GivenUp => {
  const all = new Map<number, One>()
  let current: { readonly link: CancelLink; readonly run: (effect: Effect.Effect<void>) => void } | null = null

  const remember = (one: One) => {
    all.delete(one.requestId)
    all.set(one.requestId, one)
    for (const oldest of all.keys()) {
      if (all.size <= remembered) break
      all.delete(oldest)
    }
  }

  const send = Effect.fnUntraced(function* (link: CancelLink, one: One) {
    yield* link.outbound.send("cancel", () => one.cancel(link.api, one.requestId))
    one.at = yield* monotonicMillis
    if (current?.link === link) remember(one)
  })

  const again = Effect.fnUntraced(function* (link: CancelLink, one: One) {
    if (one.again >= mostAgain) return false
    one.again++
    yield* Effect.ignore(send(link, one))
    return true
  })

  /** Until nothing comes for it any more. */
  const watch = Effect.fnUntraced(function* (link: CancelLink, one: One) {
    do {
      one.came = false
      yield* Effect.sleep(grace)
      if (!one.came) {
        one.watched = false
        return
      }
    } while (yield* again(link, one))
    yield* Effect.logWarning(
      `ibkr: request ${one.requestId} was cancelled ${one.again + 1} times, and the gateway goes on with it`
    )
  })

  return {
    cancel: (link, requestId, cancel) =>
      send(link, { requestId, cancel, at: Number.NEGATIVE_INFINITY, again: 0, came: false, watched: false }),
    late: (requestId) => {
      const one = all.get(requestId)
      if (one === undefined || current === null) return
      one.came = true
      if (one.watched) return
      one.watched = true
      current.run(watch(current.link, one))
    },
    repeat: (within) => {
      if (current === null) return
      const { link, run } = current
      run(
        Effect.flatMap(monotonicMillis, (now) =>
          Effect.forEach(
            Array.from(all.values()).filter(({ at }) => now - at <= within),
            (one) => again(link, one),
            { discard: true }
          )
        )
      )
    },
    attach: (link, run) => {
      current = { link, run }
    },
    detach: () => {
      current = null
      all.clear()
    }
  }
}
