/** What the library tells about subscriptions, handed to whose they are. */
import type { LineEvents } from "./LineSpec.ts"
import type { Lines } from "./Lines.ts"
import type { makeApi } from "./library.ts"

type Library = Awaited<ReturnType<typeof makeApi>>

/** Wraps a function so that what it throws does not reach the library. */
type Guarded = <Args extends ReadonlyArray<unknown>>(handle: (...args: Args) => void) => (...args: Args) => void

/**
 * Registers for one connection. `spoilt` is told of a subscription that has to be asked for again. Returns what is to be called at the end of each
 * frame, and when all that came at once has been read.
 */
export const listen = (
  { api, events }: Library,
  { everyone, hears }: Pick<Lines, "hears" | "everyone">,
  guarded: Guarded,
  spoilt: (requestId: number, why: string) => void
): { readonly frameEnd: () => void; readonly burstEnd: () => void } => {
  let touched: LineEvents | undefined
  const burst = new Set<LineEvents>()
  const depth = (
    id: number,
    place: number,
    operation: number,
    side: number,
    price: number,
    size: number | undefined
  ) => {
    const line = hears(id)
    if (line?.depth === undefined) return
    const wrong = line.depth(place, operation, side, price, size)
    if (wrong === null) burst.add(line)
    else spoilt(id, `its book cannot be gone on with: ${wrong}`)
  }
  api.on(
    events.updateMktDepth,
    guarded((id, place, operation, side, price, size) => depth(id, place, operation, side, price, size))
  )
  api.on(
    events.updateMktDepthL2,
    guarded((id, place, _maker, operation, side, price, size) => depth(id, place, operation, side, price, size))
  )
  api.on(
    events.tickNews,
    guarded((id, at, _provider, article, headline) => hears(id)?.news?.(at, article, headline))
  )
  api.on(
    events.updateNewsBulletin,
    guarded((number: number, _type: number, text: string, exchange: string) => {
      for (const line of everyone()) line.bulletin?.(number, text, exchange)
    })
  )
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
  return {
    frameEnd: () => {
      const line = touched
      touched = undefined
      line?.frameEnd?.()
    },
    burstEnd: guarded(() => {
      if (burst.size === 0) return
      for (const line of burst) line.burstEnd?.()
      burst.clear()
    })
  }
}
