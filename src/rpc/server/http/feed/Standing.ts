import type { DataType, LifecycleEvent, RowEvent } from "../../../../domain/streams/StreamEvent.ts"
import type { EpochMillis } from "../../../../domain/TimeRange.ts"

/** How a stream stands, for who joins late: what it would be told if it asked the vendor. */
export class Standing {
  #through: EpochMillis | null = null
  #dataType: DataType | null = null
  #gap: Extract<LifecycleEvent, { readonly _tag: "Gap" }> | null = null
  #complete = false

  get dataType(): DataType | null {
    return this.#dataType
  }

  /** What the vendor sends of itself at the beginning, or after a gap, has all come. */
  get complete(): boolean {
    return this.#complete
  }

  get broken(): boolean {
    return this.#gap !== null
  }

  rows({ through }: RowEvent): void {
    if (through !== null) this.#through = through
  }

  word(event: LifecycleEvent): void {
    switch (event._tag) {
      case "Started":
        this.#through = event.through
        break
      case "DataType":
        this.#dataType = event.dataType
        break
      case "Gap":
        this.#gap = event
        this.#complete = false
        break
      case "Resumed":
        this.#gap = null
        break
      case "Repaired":
      case "Unrepairable":
        this.#through = Math.max(this.#through ?? event.to, event.to)
        break
      case "SnapshotComplete":
        this.#complete = true
    }
  }

  /** Before the rows, and behind them. */
  words(now: EpochMillis): {
    readonly before: ReadonlyArray<LifecycleEvent>
    readonly after: ReadonlyArray<LifecycleEvent>
  } {
    return {
      before: [
        ...(this.#through === null ? [] : [{ _tag: "Started" as const, at: now, through: this.#through }]),
        ...(this.#dataType === null ? [] : [{ _tag: "DataType" as const, dataType: this.#dataType }])
      ],
      after: this.#gap === null ? [] : [this.#gap]
    }
  }
}
