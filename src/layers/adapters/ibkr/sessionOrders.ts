/**
 * Orders over a session's connection. Nothing in here waits for a connection once an order has its number, and nothing outlives one.
 *
 * Hard cases. An order is marked as sent before its bytes are handed over: whatever the library does with them, some may have gone out. What has been
 * heard of an order counts whatever came after: a gateway that has told its status has it.
 */
import { Effect, Semaphore } from "effect"
import {
  Disconnected,
  IbkrError,
  type IbkrErrorReason,
  type IbkrState,
  InvalidRequest,
  NoAnswer
} from "../../../services/IbkrSession.ts"
import type { GatewayApi } from "./GatewayApi.ts"
import type { Link } from "./Link.ts"
import { firstRequest, type ListOf, type OrderWord, type Verdict } from "./OrderDesk.ts"
import type { AnswerOfGateway } from "./Question.ts"

/** Where an order goes: its number is good on that connection alone. */
export interface OrderNumber {
  readonly order: number
  readonly connection: number
  readonly clientId: number
}

/** What is sent about an order, once. */
export interface Instruction {
  readonly order: number
  /** The only connection on which it is sent; null: whichever there is. */
  readonly connection: number | null
  readonly send: (api: GatewayApi) => void
  readonly judge: (word: OrderWord) => Verdict
  /** Milliseconds from when it was sent. */
  readonly within: number
}

/** What came of it. `frames`: all that was said of the order since; `unknown`: it was sent, and the gateway has not said that it has it. */
export interface Instructed extends Omit<AnswerOfGateway, "refusal" | "empty"> {
  readonly refused: string | null
  readonly unknown: IbkrErrorReason | null
}

export interface SessionOrders {
  /** A number that no order of this client has; nothing is sent. */
  readonly orderNumber: Effect.Effect<OrderNumber, IbkrError>
  /**
   * Sends once, on a connection that is there, and never again. Fails only where nothing was sent. It is not to be interrupted: what was sent by then
   * would be nobody's.
   */
  readonly instruct: (instruction: Instruction) => Effect.Effect<Instructed, IbkrError>
  /** All orders of a sort, of every client. */
  readonly listOrders: (of: ListOf, within: number) => Effect.Effect<AnswerOfGateway, IbkrError>
}

type Connected = Extract<IbkrState, { readonly _tag: "Ready" | "Degraded" }>

interface Deps {
  readonly ready: Effect.Effect<Connected, IbkrError>
  /** The connection that there is; null: none. */
  readonly now: () => { readonly link: Link; readonly state: Connected } | null
}

const unsent = (message: string) =>
  new IbkrError({ reason: new Disconnected({ message: `${message}; nothing was sent` }) })

const silence = (message: string, after: number) =>
  Effect.suspend(() =>
    Effect.fail(new IbkrError({ reason: new NoAnswer({ message: `${message} within ${after / 1000} s`, after }) }))
  )

export const makeOrders = Effect.fnUntraced(function* ({ now, ready }: Deps) {
  let next = 0
  const listing = yield* Semaphore.make(1)

  const orderNumber: SessionOrders["orderNumber"] = Effect.gen(function* () {
    const { clientId, connection } = yield* ready
    const order = Math.max(next, now()?.link.nextOrder ?? 0)
    if (order >= firstRequest) {
      const message = `the orders of client ${clientId} have numbers from ${order} on, which cannot be told from those of requests; use another clientId`
      return yield* new IbkrError({ reason: new InvalidRequest({ code: 0, message }) })
    }
    next = order + 1
    return { order, connection, clientId }
  })

  const instruct: SessionOrders["instruct"] = Effect.fn("IbkrSession.instruct")(function* (instruction) {
    const { within } = instruction
    const current = now()
    if (current === null) return yield* unsent("there is no connection to the gateway")
    const { link, state } = current
    if (state._tag === "Degraded" && state.upstream) return yield* unsent("the gateway has lost IB")
    if (instruction.connection !== null && state.connection !== instruction.connection) {
      return yield* unsent("the connection for which its number was taken is gone")
    }
    const { connection } = state
    const wait = yield* link.orders.wait(instruction.order, instruction.judge)
    let sent = false
    return yield* Effect.gen(function* () {
      yield* link.outbound.send("order", () => {
        sent = true
        instruction.send(link.api)
      })
      return yield* Effect.timeoutOrElse(wait.settled, {
        duration: within,
        orElse: () => silence("the gateway said nothing of it", within)
      })
    }).pipe(
      Effect.map((refused) => ({ refused, unknown: null })),
      Effect.catch((error) =>
        sent ? Effect.succeed({ refused: null, unknown: wait.known() ? null : error.reason }) : Effect.fail(error)
      ),
      Effect.map(
        (came): Instructed => ({ ...came, frames: [...wait.frames], serverVersion: link.serverVersion, connection })
      ),
      Effect.ensuring(Effect.sync(wait.leave)),
      Effect.annotateLogs({ connection })
    )
  })

  const listOrders: SessionOrders["listOrders"] = Effect.fn("IbkrSession.listOrders")(function* (of, within) {
    const { connection, serverVersion } = yield* ready
    const link = now()?.link
    if (link === undefined) return yield* unsent("the connection was just lost")
    const { asked, done, leave } = yield* link.orders.list(of)
    const frames = yield* Effect.gen(function* () {
      yield* link.outbound.send("order", () => {
        asked()
        if (of === "open") link.api.reqAllOpenOrders()
        else link.api.reqCompletedOrders(false)
      })
      return yield* Effect.timeoutOrElse(done, {
        duration: within,
        orElse: () => silence(`no list of ${of} orders`, within)
      })
    }).pipe(Effect.ensuring(Effect.sync(leave)))
    return { frames, refusal: null, empty: frames.length === 0, serverVersion, connection }
  }, listing.withPermits(1))

  return { orderNumber, instruct, listOrders } satisfies SessionOrders
})
