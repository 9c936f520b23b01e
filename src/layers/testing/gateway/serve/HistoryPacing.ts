/**
 * What the gateway allows of requests for small bars and ticks, in simulated time: none that is the same as one of the last 15 seconds, fewer than six
 * in two seconds for one contract and kind, and no more than sixty in ten minutes. Bids and asks together count twice. A request
 * that is refused does not count.
 */
interface Asked {
  readonly at: number
  readonly weight: number
  readonly request: string
  readonly contract: string
}

export class HistoryPacing {
  private asked: Array<Asked> = []

  /** False: it is one too many. `contract` is the contract, exchange and kind; `request` all that is said. */
  admits(at: number, request: string, contract: string, weight: number): boolean {
    this.asked = this.asked.filter((one) => one.at > at - 600_000)
    const { asked } = this
    const within = (millis: number) => asked.filter((one) => one.at > at - millis)
    const sum = (ones: ReadonlyArray<Asked>) => ones.reduce((total, one) => total + one.weight, weight)
    if (within(15_000).some((one) => one.request === request)) return false
    if (sum(within(2_000).filter((one) => one.contract === contract)) >= 6) return false
    if (sum(asked) > 60) return false
    asked.push({ at, weight, request, contract })
    return true
  }
}
