/**
 * Streams of an account: what it holds, its figures, and what it has won and lost. Rows are of when they were received, since IB stamps none of
 * them. SnapshotComplete says that all of it has come, at the beginning and after a gap.
 */
import { Effect, RcMap, type Scope } from "effect"
import type { AccountKind } from "../../../domain/streams/StreamKind.ts"
import type { Holding, ProfitAndLoss } from "../../../domain/streams/StreamRow.ts"
import type { IbkrError } from "../../../services/IbkrSession.ts"
import type { StreamSink } from "../../../services/StreamCapability.ts"
import type { Session } from "./IbkrSessionLive.ts"
import { lineTeller, type TellerDeps } from "./LineTeller.ts"
import { numberOf } from "./numbers.ts"
import * as PositionFeed from "./PositionFeed.ts"

interface Deps extends TellerDeps {
  readonly session: Pick<Session, "subscribe" | "vendorNow" | "ourNow">
}

export interface AccountStreams {
  readonly open: (kind: AccountKind, account: string, sink: StreamSink) => Effect.Effect<void, IbkrError, Scope.Scope>
}

/** What value less profit differs from the cost by, at most, where both are in one currency. */
const agreement = 0.02

/**
 * IB does not say in which currency it values a position in another one than the account's. The cost is in the contract's: where value less profit is
 * not what it cost, they are not, and no price can be told from the value.
 */
const inOneCurrency = ({ averageCost, position, profit }: PositionFeed.Held): boolean => {
  if (profit.value === null || profit.unrealized === null || averageCost === null) return true
  const cost = averageCost * position
  return cost === 0 || Math.abs((profit.value - profit.unrealized) / cost - 1) <= agreement
}

const holdingOf = (held: PositionFeed.Held, account: string, ts: number): Holding => {
  const { averageCost, currency, multiplier, position, profit, symbol } = held
  const same = inOneCurrency(held)
  const price = profit.value === null || position === 0 || !same ? null : profit.value / position / multiplier
  return {
    ts,
    account,
    symbol,
    position,
    marketPrice: price === null ? null : Math.round(price * 1e8) / 1e8,
    marketValue: profit.value,
    averageCost,
    unrealized: profit.unrealized,
    realized: profit.realized,
    currency: same ? currency : null
  }
}

const profitOf = ({ position, profit, symbol }: PositionFeed.Held, account: string, ts: number): ProfitAndLoss => ({
  ts,
  account,
  symbol,
  position,
  ...profit
})

/** One feed of positions an account, however many streams want it. Lives in the scope of its maker. */
export const make = Effect.fnUntraced(function* (deps: Deps): Effect.fn.Return<AccountStreams, never, Scope.Scope> {
  const { session } = deps
  const feeds = yield* RcMap.make({
    lookup: (account: string) => PositionFeed.make(session.subscribe, account)
  })

  const join = Effect.fnUntraced(function* (account: string, listener: PositionFeed.PositionListener) {
    const feed = yield* RcMap.get(feeds, account)
    yield* Effect.acquireRelease(
      Effect.sync(() => feed.join(listener)),
      (leave) => Effect.sync(leave)
    )
  })

  const portfolio = (account: string, sink: StreamSink) => {
    const { came, ...tell } = lineTeller(deps, sink)
    return join(account, {
      ...tell,
      held: (held) => {
        came()
        sink.row(holdingOf(held, account, session.ourNow()))
      },
      complete: () => sink.event({ _tag: "SnapshotComplete" })
    })
  }

  const figures = (account: string, sink: StreamSink) => {
    const { came, ...tell } = lineTeller(deps, sink)
    return session.subscribe({
      ...tell,
      what: `figures of ${account}`,
      type: "account",
      sort: null,
      send: (api, id) => api.reqAccountUpdatesMulti(id, account, "", false),
      cancel: (api, id) => api.cancelAccountUpdatesMulti(id),
      accountValue: (tag, value, currency) => {
        came()
        sink.row({ ts: session.ourNow(), account, tag, value, currency: currency === "" ? null : currency })
      },
      listEnd: () => sink.event({ _tag: "SnapshotComplete" })
    })
  }

  /** The account as a whole, and each position in it. */
  const profits = Effect.fnUntraced(function* (account: string, sink: StreamSink) {
    const { came, ...tell } = lineTeller(deps, sink)
    let totalled = false
    let listed = false
    const settle = () => {
      if (totalled && listed) sink.event({ _tag: "SnapshotComplete" })
    }
    yield* session.subscribe({
      ...tell,
      what: `profit and loss of ${account}`,
      type: "pnl",
      sort: null,
      send: (api, id) => api.reqPnL(id, account, ""),
      cancel: (api, id) => api.cancelPnL(id),
      broke: (reason) => {
        totalled = false
        tell.broke(reason)
      },
      profit: (daily, unrealized, realized) => {
        came()
        sink.row({
          ts: session.ourNow(),
          account,
          symbol: null,
          position: null,
          daily: numberOf(daily),
          unrealized: numberOf(unrealized),
          realized: numberOf(realized),
          value: null
        })
        if (totalled) return
        totalled = true
        settle()
      }
    })
    yield* join(account, {
      ...tell,
      broke: (reason) => {
        listed = false
        tell.broke(reason)
      },
      held: (held) => {
        came()
        sink.row(profitOf(held, account, session.ourNow()))
      },
      complete: () => {
        listed = true
        settle()
      }
    })
  })

  return {
    open: (kind, account, sink) => {
      switch (kind) {
        case "portfolio":
          return portfolio(account, sink)
        case "account":
          return figures(account, sink)
        case "pnl":
          return profits(account, sink)
      }
    }
  }
})
