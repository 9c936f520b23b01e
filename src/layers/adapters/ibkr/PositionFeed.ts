/**
 * What one account holds, position by position, with what each is worth: shared by all streams of that account.
 *
 * Which requests, and why. reqAccountUpdates takes one account at a time for a whole client, and tells prices every three minutes; reqPositions has no
 * number, so that two who want it cannot be told apart, and IB refuses it to advisors with more than fifty accounts. reqPositionsMulti is of one
 * account under a number of its own, and any number of them work at once; it says what is held and what that cost, and again whenever it
 * changes. What a position is worth comes from reqPnLSingle, once a second, and takes no line of market data.
 *
 * Queueing: everything is told in the callback of the socket, in order, and never waits. The requests for values wait in the connection's outbound line behind
 * that for the positions.
 *
 * Hard cases. After a reconnect the list comes again: what is not in it is told as sold. A position is told when its value has come, so that nobody
 * is shown half of one; where none comes for `patience` (IB has none for it, or refuses) it is told without. The list is complete when all in it
 * have been told. IB sends a position of zero for what has just been sold, and nothing for what was sold before. Who joins late is told
 * of all that is known.
 */
import { Effect, FiberHandle, FiberMap, Schedule, type Scope } from "effect"
import type { IbkrError, IbkrErrorReason } from "../../../services/IbkrSession.ts"
import { contractSpelled, type HeldContract } from "./contractSpelled.ts"
import type { LineSpec } from "./LineSpec.ts"
import { numberOf, sizeOf } from "./numbers.ts"

/** As IB last told it; null: it has not, or cannot. */
export interface Profit {
  readonly daily: number | null
  readonly unrealized: number | null
  readonly realized: number | null
  readonly value: number | null
}

/** A position at an instant; nobody changes it. */
export interface Held {
  readonly conId: number
  /** As a contract is written here. */
  readonly symbol: string
  /** 0: sold, and the last that is told of it. */
  readonly position: number
  /** What one cost, its multiplier included, in `currency`. */
  readonly averageCost: number | null
  readonly multiplier: number
  readonly currency: string | null
  readonly profit: Profit
}

export interface PositionListener extends Pick<LineSpec, "began" | "broke" | "refused"> {
  readonly held: (held: Held) => void
  readonly complete: () => void
}

export interface PositionFeed {
  /** First told of all that is known; until what is returned is called. */
  readonly join: (listener: PositionListener) => () => void
}

interface Entry {
  held: Held
  /** Whether its value came since the list was last asked for. */
  fresh: boolean
}

const patience = "5 seconds"

const nothing: Profit = { daily: null, unrealized: null, realized: null, value: null }

/** Until the scope closes. */
export const make = Effect.fnUntraced(function* (
  subscribe: (spec: LineSpec) => Effect.Effect<void, IbkrError, Scope.Scope>,
  account: string
): Effect.fn.Return<PositionFeed, never, Scope.Scope> {
  const listeners = new Set<PositionListener>()
  const entries = new Map<number, Entry>()
  const value = yield* FiberMap.makeRuntime<never, number>()
  const patient = yield* FiberHandle.makeRuntime<never>()
  /** In the list of this time; those of which the value has not come. */
  let listed = new Set<number>()
  let waiting = new Set<number>()
  let state: "asked" | "running" | "broken" | "listed" | "complete" = "asked"
  let refusal: IbkrErrorReason | null = null

  const tell = (entry: Entry) => {
    waiting.delete(entry.held.conId)
    for (const { held } of listeners) held(entry.held)
    settle()
  }

  const settle = () => {
    if (state !== "listed" || waiting.size > 0) return
    state = "complete"
    for (const { complete } of listeners) complete()
  }

  const valueOf = (entry: Entry): LineSpec => {
    const { conId, symbol } = entry.held
    return {
      what: `the value of ${symbol} in ${account}`,
      type: "pnl",
      sort: null,
      waits: () => {},
      send: (api, id) => api.reqPnLSingle(id, account, "", conId),
      cancel: (api, id) => api.cancelPnLSingle(id),
      began: () => {
        entry.held = { ...entry.held, profit: nothing }
      },
      broke: () => {
        entry.fresh = false
      },
      refused: () => {
        if (waiting.has(conId)) tell(entry)
      },
      profit: (daily, unrealized, realized, _position, worth) => {
        entry.fresh = true
        const profit = {
          daily: numberOf(daily),
          unrealized: numberOf(unrealized),
          realized: numberOf(realized),
          value: numberOf(worth)
        }
        entry.held = { ...entry.held, profit }
        tell(entry)
      }
    }
  }

  const sold = (entry: Entry) => {
    const { conId } = entry.held
    entries.delete(conId)
    value(conId, Effect.void)
    entry.held = { ...entry.held, position: 0, profit: { ...nothing, value: 0, realized: entry.held.profit.realized } }
    tell(entry)
  }

  const position = (contract: HeldContract, count: number | undefined, cost: number | undefined) => {
    const { conId } = contract
    listed.add(conId)
    const before = entries.get(conId)
    const held = sizeOf(count)
    if (held === null || held === 0) return before === undefined ? undefined : sold(before)
    const what = {
      conId,
      symbol: contractSpelled(contract),
      position: held,
      averageCost: numberOf(cost),
      multiplier: Number(contract.multiplier) || 1,
      currency: contract.currency === undefined || contract.currency === "" ? null : contract.currency
    }
    if (before !== undefined) {
      before.held = { ...what, profit: before.held.profit }
      if (before.fresh) tell(before)
      else waiting.add(conId)
      return
    }
    const entry: Entry = { held: { ...what, profit: nothing }, fresh: false }
    entries.set(conId, entry)
    waiting.add(conId)
    // What fails here is the way to the gateway, and not the request: until it succeeds the position is told without a value.
    value(
      conId,
      Effect.andThen(subscribe(valueOf(entry)), Effect.never).pipe(
        Effect.scoped,
        Effect.retry(Schedule.spaced(patience)),
        Effect.ignore
      )
    )
  }

  const impatient = Effect.gen(function* () {
    while (waiting.size > 0) {
      const before = waiting.size
      yield* Effect.sleep(patience)
      if (waiting.size < before) continue
      for (const conId of [...waiting]) {
        const entry = entries.get(conId)
        if (entry !== undefined) tell(entry)
      }
      waiting.clear()
      settle()
    }
  })

  const refused = (reason: IbkrErrorReason) => {
    refusal = reason
    for (const one of listeners) one.refused(reason)
  }

  const positions: LineSpec = {
    what: `positions of ${account}`,
    type: "positions",
    sort: null,
    waits: () => {},
    send: (api, id) => api.reqPositionsMulti(id, account, ""),
    cancel: (api, id) => api.cancelPositionsMulti(id),
    began: () => {
      listed = new Set()
      waiting = new Set()
      state = "running"
      for (const { began } of listeners) began()
    },
    broke: (reason) => {
      if (state === "asked") return
      for (const entry of entries.values()) entry.fresh = false
      state = "broken"
      for (const { broke } of listeners) broke(reason)
    },
    refused,
    position,
    listEnd: () => {
      for (const [conId, entry] of [...entries]) if (!listed.has(conId)) sold(entry)
      state = "listed"
      patient(impatient)
      settle()
    }
  }

  yield* Effect.catch(subscribe(positions), ({ reason }) => Effect.sync(() => refused(reason)))

  return {
    join: (listener) => {
      listeners.add(listener)
      if (refusal !== null) listener.refused(refusal)
      if (state !== "asked" && state !== "broken") {
        listener.began()
        for (const { held } of entries.values()) if (!waiting.has(held.conId)) listener.held(held)
        if (state === "complete") listener.complete()
      }
      return () => {
        listeners.delete(listener)
      }
    }
  }
})
