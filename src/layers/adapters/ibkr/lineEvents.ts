/** What the library tells about subscriptions, handed to whose they are. */
import type { LineEvents } from "./Lines.ts"
import type { makeApi } from "./library.ts"

type Library = Awaited<ReturnType<typeof makeApi>>

/** Wraps a function so that what it throws does not reach the library. */
type Guarded = <Args extends ReadonlyArray<unknown>>(handle: (...args: Args) => void) => (...args: Args) => void

/** Registers for one connection. Returns what is to be called at the end of each frame. */
export const listen = (
  { api, events }: Library,
  hears: (requestId: number) => LineEvents | undefined,
  guarded: Guarded
): (() => void) => {
  let touched: LineEvents | undefined
  api.on(
    events.tickPrice,
    guarded((id: number, type: number, price: number) => {
      touched = hears(id)
      touched?.tickPrice?.(type, price)
    })
  )
  api.on(
    events.tickSize,
    guarded((id: number, type: number | undefined, size: number | undefined) => {
      touched = hears(id)
      if (type !== undefined) touched?.tickSize?.(type, size)
    })
  )
  api.on(
    events.tickByTickAllLast,
    guarded((id, _type, time, price, size, _attributes, exchange, conditions) =>
      hears(id)?.trade?.(Number(time), price, size, exchange, conditions)
    )
  )
  api.on(
    events.realtimeBar,
    guarded((id, time, open, high, low, close, volume, vwap, count) =>
      hears(id)?.bar?.(time, open, high, low, close, volume, vwap, count)
    )
  )
  api.on(
    events.marketDataType,
    guarded((id: number, type: number) => hears(id)?.dataType?.(type))
  )
  api.on(
    events.positionMulti,
    guarded((id, _account, _model, { conId, ...contract }, count, averageCost) => {
      if (conId !== undefined) hears(id)?.position?.({ ...contract, conId }, count, averageCost)
    })
  )
  api.on(
    events.positionMultiEnd,
    guarded((id: number) => hears(id)?.listEnd?.())
  )
  api.on(
    events.accountUpdateMulti,
    guarded((id, _account, _model, tag, value, currency) => hears(id)?.accountValue?.(tag, value, currency))
  )
  api.on(
    events.accountUpdateMultiEnd,
    // Whatever is declared, it comes as text.
    guarded((id: number | string) => hears(Number(id))?.listEnd?.())
  )
  api.on(
    events.pnl,
    guarded((id, daily, unrealized, realized) => hears(id)?.profit?.(daily, unrealized, realized))
  )
  api.on(
    events.pnlSingle,
    guarded((id, position, daily, unrealized, realized, value) =>
      hears(id)?.profit?.(daily, unrealized, realized, position, value)
    )
  )
  return () => {
    const line = touched
    touched = undefined
    line?.frameEnd?.()
  }
}
