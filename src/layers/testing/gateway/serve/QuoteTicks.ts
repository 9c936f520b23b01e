/** The tick messages of one line: all that is known at first, then what has changed since the last look. */
import { tickGeneric, tickPrice, tickSize, tickString } from "../codec/ticks.ts"
import { seedOf } from "../market/hash.ts"
import { type Instrument, priceOf } from "../market/Instrument.ts"
import type { Live } from "../market/Live.ts"
import { optionTicks } from "./optionTicks.ts"

/** Numbers of ticks: those of live data, and of delayed data. */
const liveTypes = {
  bidSize: 0,
  bid: 1,
  ask: 2,
  askSize: 3,
  last: 4,
  lastSize: 5,
  high: 6,
  low: 7,
  volume: 8,
  close: 9,
  open: 14,
  time: 45
}
const delayedTypes = {
  bidSize: 69,
  bid: 66,
  ask: 67,
  askSize: 70,
  last: 68,
  lastSize: 71,
  high: 72,
  low: 73,
  volume: 74,
  close: 75,
  open: 76,
  time: 88
}

const canExecute = 1

/** What a line sent last. */
interface Sent {
  bid: number
  ask: number
  bidSize: number
  askSize: number
  last: number
  lastAt: number
  count: number
  volume: number
  high: number
  low: number
  open: number
  close: number
  mark: number
}

const nothing = (): Sent => ({
  bid: Number.NaN,
  ask: Number.NaN,
  bidSize: -1,
  askSize: -1,
  last: Number.NaN,
  lastAt: 0,
  count: -1,
  volume: -1,
  high: Number.NaN,
  low: Number.NaN,
  open: Number.NaN,
  close: Number.NaN,
  mark: Number.NaN
})

/** NaN, which stands for unknown, is no change of itself. */
const differs = (now: number, before: number): boolean => now !== before && !(Number.isNaN(now) && Number.isNaN(before))

export class QuoteTicks {
  private readonly reqId: number
  private readonly instrument: Instrument
  private readonly types: typeof liveTypes
  private readonly live: boolean
  private readonly generic: ReadonlySet<string>
  private readonly sent = nothing()

  constructor(reqId: number, instrument: Instrument, live: boolean, generic: ReadonlyArray<string>) {
    this.reqId = reqId
    this.instrument = instrument
    this.types = live ? liveTypes : delayedTypes
    this.live = live
    this.generic = new Set(generic)
  }

  initial(live: Live, now: number): ReadonlyArray<string> {
    const texts = this.changes(live, now)
    // Who has no quote is told so.
    if (Number.isNaN(live.bid)) {
      texts.push(tickPrice(this.reqId, this.types.bid, -1, 0, 0), tickPrice(this.reqId, this.types.ask, -1, 0, 0))
    }
    texts.push(tickGeneric(this.reqId, this.live ? 49 : 90, 0))
    this.onlyOnce(live, texts)
    return texts
  }

  /** Ticks of the generic list that do not change while one looks. */
  private onlyOnce(live: Live, texts: Array<string>): void {
    const { generic, instrument, reqId } = this
    const luck = seedOf(instrument.seed, "statistics")
    const { secType } = instrument
    if (generic.has("104")) texts.push(tickGeneric(reqId, 23, 0.18 + (luck % 100) / 1000))
    if (generic.has("106")) texts.push(tickGeneric(reqId, 24, 0.2 + (luck % 120) / 1000))
    if (generic.has("165")) {
      const level = Number.isNaN(live.mark) ? 0 : live.mark
      const around = [0.93, 1.06, 0.86, 1.12, 0.74, 1.2]
      around.forEach((factor, index) => {
        texts.push(tickPrice(reqId, 15 + index, priceOf(instrument, Math.round(level * factor)), 0, 0))
      })
      texts.push(tickSize(reqId, 21, 1_000_000 + (luck % 9_000_000)))
    }
    if (generic.has("236") && secType === "STK") texts.push(tickGeneric(reqId, 46, 3), tickSize(reqId, 89, 2_500_000))
    if (generic.has("411")) texts.push(tickGeneric(reqId, 58, 0.15 + (luck % 100) / 1000))
    if (generic.has("456") && secType === "STK") texts.push(tickString(reqId, 59, "0.96,0.98,20260508,0.24"))
    if (generic.has("588") && secType === "FUT") texts.push(tickSize(reqId, 86, 10_000 + (luck % 900_000)))
    if (generic.has("101") && secType === "OPT") {
      const isCall = instrument.right === "C"
      texts.push(tickSize(reqId, isCall ? 27 : 28, luck % 20_000))
    }
    if (generic.has("100") && secType === "OPT") {
      texts.push(tickSize(reqId, instrument.right === "C" ? 29 : 30, live.volume))
    }
  }

  changes(live: Live, now: number): Array<string> {
    const { instrument, reqId, sent, types } = this
    const texts: Array<string> = []
    const quoted = live.bid !== sent.bid || live.ask !== sent.ask
    if (differs(live.bid, sent.bid)) {
      texts.push(tickPrice(reqId, types.bid, priceOf(instrument, live.bid), live.bidSize, canExecute))
      texts.push(tickSize(reqId, types.bidSize, live.bidSize))
    } else if (live.bidSize !== sent.bidSize && live.bidSize > 0) {
      texts.push(tickSize(reqId, types.bidSize, live.bidSize))
    }
    if (differs(live.ask, sent.ask)) {
      texts.push(tickPrice(reqId, types.ask, priceOf(instrument, live.ask), live.askSize, canExecute))
      texts.push(tickSize(reqId, types.askSize, live.askSize))
    } else if (live.askSize !== sent.askSize && live.askSize > 0) {
      texts.push(tickSize(reqId, types.askSize, live.askSize))
    }
    this.trades(live, texts)
    if (differs(live.priorClose, sent.close)) {
      texts.push(tickPrice(reqId, types.close, priceOf(instrument, live.priorClose), 0, 0))
    }
    if (quoted && instrument.secType === "OPT" && !Number.isNaN(live.bid)) {
      texts.push(...optionTicks(reqId, instrument, live, now, this.live))
    }
    if (this.live && (this.generic.has("221") || this.generic.has("232")) && differs(live.mark, sent.mark)) {
      texts.push(tickPrice(reqId, 37, priceOf(instrument, live.mark), 0, 0))
    }
    this.remember(live)
    return texts
  }

  private trades(live: Live, texts: Array<string>): void {
    const { instrument, reqId, sent, types } = this
    if (live.lastAt !== sent.lastAt || live.count !== sent.count) {
      if (!Number.isNaN(live.last)) {
        texts.push(tickString(reqId, types.time, String(Math.floor(live.lastAt / 1000))))
        const price = priceOf(instrument, live.last)
        if (differs(live.last, sent.last)) texts.push(tickPrice(reqId, types.last, price, live.lastSize, 0))
        texts.push(tickSize(reqId, types.lastSize, live.lastSize))
        if (this.live && (this.generic.has("233") || this.generic.has("375"))) texts.push(this.timeAndSales(live))
        if (this.live && this.generic.has("293")) texts.push(tickGeneric(reqId, 54, live.count))
        if (this.live && this.generic.has("318")) texts.push(tickPrice(reqId, 57, price, 0, 0))
      }
    }
    if (live.volume !== sent.volume) texts.push(tickSize(reqId, types.volume, live.volume))
    if (differs(live.high, sent.high) && live.count > 0)
      texts.push(tickPrice(reqId, types.high, priceOf(instrument, live.high), 0, 0))
    if (differs(live.low, sent.low) && live.count > 0)
      texts.push(tickPrice(reqId, types.low, priceOf(instrument, live.low), 0, 0))
    if (differs(live.open, sent.open) && live.count > 0)
      texts.push(tickPrice(reqId, types.open, priceOf(instrument, live.open), 0, 0))
  }

  /** Price, size, time, volume and mean price of the day, and whether one maker filled it. */
  private timeAndSales(live: Live): string {
    const { instrument, reqId } = this
    const mean = live.volume === 0 ? live.last : live.value / live.volume
    const price = priceOf(instrument, live.last)
    const vwap = Math.round(priceOf(instrument, mean) * 1e8) / 1e8
    const type = this.generic.has("233") ? 48 : 77
    return tickString(reqId, type, `${price};${live.lastSize};${live.lastAt};${live.volume};${vwap};true`)
  }

  private remember(live: Live): void {
    const { sent } = this
    sent.bid = live.bid
    sent.ask = live.ask
    sent.bidSize = live.bidSize
    sent.askSize = live.askSize
    sent.last = live.last
    sent.lastAt = live.lastAt
    sent.count = live.count
    sent.volume = live.volume
    sent.high = live.high
    sent.low = live.low
    sent.open = live.open
    sent.close = live.priorClose
    sent.mark = live.mark
  }
}
