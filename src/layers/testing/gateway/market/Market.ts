/** One simulated market: what it lists, and for each of that its tape and where it stands. */
import { type BarPrice, DayBars, intradayBars, joinDays, type TapeBar } from "./bars.ts"
import type { Instrument } from "./Instrument.ts"
import { Live } from "./Live.ts"
import { RecordedTape, type Recording } from "./RecordedTape.ts"
import { SeededTape, type Tape } from "./Tape.ts"
import { Universe, type UniverseOptions } from "./Universe.ts"

/** Milliseconds that those who have no live data look behind. */
export const delay = 900_000

const dayMillis = 86_400_000

/** What bars are asked for. */
export interface BarQuery {
  readonly from: number
  readonly to: number
  /** Milliseconds, or what is made of days. */
  readonly size: number | "day" | "week" | "month"
  readonly price: BarPrice
  readonly regular: boolean
}

export class Listing {
  readonly instrument: Instrument
  readonly tape: Tape
  private readonly days = new DayBars()
  private current: Live | null = null
  private late: Live | null = null

  constructor(instrument: Instrument, tape: Tape) {
    this.instrument = instrument
    this.tape = tape
  }

  /** Where it stands; instants must not go back. */
  at(now: number): Live {
    this.current ??= new Live(this.tape, this.instrument.hours, now)
    this.current.advance(now)
    return this.current
  }

  /** Where it stood a quarter of an hour before. */
  delayedAt(now: number): Live {
    this.late ??= new Live(this.tape, this.instrument.hours, now - delay)
    this.late.advance(now - delay)
    return this.late
  }

  bars({ from, price, regular, size, to }: BarQuery): ReadonlyArray<TapeBar> {
    const { hours } = this.instrument
    const stretch = { tape: this.tape, hours, from, to, millis: dayMillis, price, regular }
    if (typeof size === "number") return intradayBars({ ...stretch, millis: size })
    const days = this.days.of(stretch)
    return size === "day" ? days : joinDays(days, size)
  }
}

export class Market {
  readonly universe: Universe
  private readonly listings = new Map<string, Listing>()
  private readonly recording: Recording | null

  constructor(options: UniverseOptions) {
    this.universe = new Universe(options)
    this.recording = options.recording
  }

  listing(instrument: Instrument): Listing {
    const known = this.listings.get(instrument.name)
    if (known !== undefined) return known
    const { recording } = this
    const tape = recording?.symbol === instrument.name ? new RecordedTape(recording) : new SeededTape(instrument)
    const made = new Listing(instrument, tape)
    this.listings.set(instrument.name, made)
    return made
  }

  /** By the name that the in-process API uses. */
  named(name: string): Listing | null {
    const { all } = this.universe
    const found = all.find((one) => one.name === name) ?? this.universe.simulated(name)
    return found === null || found === undefined ? null : this.listing(found)
  }
}
