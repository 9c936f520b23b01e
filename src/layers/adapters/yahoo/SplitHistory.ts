import type { EpochMillis } from "../../../domain/TimeRange.ts"

/** `date` is the ex-date at 00:00Z: from there on, `numerator` shares are what `denominator` were. */
export interface Split {
  readonly date: EpochMillis
  readonly numerator: number
  readonly denominator: number
}

/** What a split-adjusted price is multiplied by, and a volume divided by, to undo the splits that came later. */
export interface Unsplit {
  readonly numerator: number
  readonly denominator: number
}

const none: Unsplit = { numerator: 1, denominator: 1 }

/** The splits of an instrument from some date on, all of them: without the last one every earlier price would be wrong. */
export class SplitHistory {
  private readonly dates: ReadonlyArray<EpochMillis>
  private readonly products: ReadonlyArray<Unsplit>

  /** `known` is the date up to which prices are adjusted; a split that is only announced has changed nothing yet. */
  constructor(splits: ReadonlyArray<Split>, known: EpochMillis) {
    const past = splits.filter(({ date }) => date <= known).toSorted((a, b) => a.date - b.date)
    const products: Array<Unsplit> = []
    let after = none
    for (const { denominator, numerator } of past.toReversed()) {
      after = { numerator: after.numerator * numerator, denominator: after.denominator * denominator }
      products.unshift(after)
    }
    this.dates = past.map(({ date }) => date)
    this.products = products
  }

  /** All splits after a session. */
  after(date: EpochMillis): Unsplit {
    const next = this.dates.findIndex((split) => split > date)
    return this.products[next] ?? none
  }
}
