/** What one consumer was told of a book's top, held against where it stood in the market. */
import { isRows, type StreamEvent } from "../../src/domain/streams/StreamEvent.ts"
import type { Ticker } from "../../src/domain/streams/StreamRow.ts"
import type { GatewaySimulator } from "../../src/layers/testing/gateway/GatewaySimulator.ts"

/** A gateway tells a share's quotes every 250 ms, and what it tells is taken up to two steps of the clock later. */
const slack = 1_000

/** After a gap the figures come one by one. */
const settling = 3_000

export class QuoteCheck {
  readonly symbol: string
  readonly problems: Array<string> = []
  compared = 0
  gaps = 0
  #last: Ticker | null = null
  #freshSince: number | null = null

  constructor(symbol: string) {
    this.symbol = symbol
  }

  hear(event: StreamEvent, now: number): void {
    if (isRows(event)) {
      if (event.snapshot || event._tag !== "Quotes") return
      this.#last = event.rows.at(-1) ?? this.#last
      this.#freshSince ??= now
    } else if (event._tag === "Gap") {
      this.gaps++
      this.#freshSince = null
    } else if (event._tag === "Closed") this.#problem(`ended: ${event.cause}`)
  }

  get live(): boolean {
    return this.#freshSince !== null
  }

  /** Nothing is compared in a gap, which was told. */
  compare(gateway: GatewaySimulator): void {
    const now = gateway.now()
    const last = this.#last
    if (last === null || this.#freshSince === null || now - this.#freshSince < settling) return
    let { quotes } = gateway.truth(this.symbol, now - 10 * slack, now + 1)
    const before = quotes.findLastIndex(({ at }) => at < now - slack)
    // In a market that sleeps what holds is older.
    if (before === -1) quotes = gateway.truth(this.symbol, now - 600 * slack, now + 1).quotes
    const standing = quotes.slice(
      Math.max(
        0,
        quotes.findLastIndex(({ at }) => at < now - slack)
      )
    )
    this.compared++
    const holds = standing.some(
      ({ ask, askSize, bid, bidSize }) =>
        ask === last.ask && bid === last.bid && askSize === last.askSize && bidSize === last.bidSize
    )
    if (holds) return
    const of = (one: Pick<Ticker, "ask" | "askSize" | "bid" | "bidSize">) =>
      `${one.bidSize} x ${one.bid} | ${one.ask} x ${one.askSize}`
    this.#problem(
      `at ${new Date(now).toISOString()} it is told as ${of(last)}, and it was ${standing.map(of).join(" or ")}`
    )
  }

  #problem(what: string): void {
    if (this.problems.length < 10) this.problems.push(`quotes of ${this.symbol}: ${what}`)
  }
}
