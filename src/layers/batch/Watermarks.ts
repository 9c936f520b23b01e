import type { FeedbackEvent } from "../../services/BatchProcessor.ts"

type Level = FeedbackEvent["level"]
type Change = Pick<FeedbackEvent, "level" | "reason">

/** Turns how full a buffer is into events: one a change of level, and none for a buffer that sways about a watermark. */
export class Watermarks {
  private readonly high: number
  private readonly low: number
  private level: Level = "ok"

  constructor(high: number, low: number) {
    this.high = high
    this.low = low
  }

  /** What is to be told of a buffer that is so full (0 to 1); null when there is nothing new. */
  at(utilization: number): Change | null {
    if (utilization >= this.high) return this.to("hard", "high_watermark")
    if (utilization <= this.low) return this.to("ok", "queue_recovered")
    return this.level === "ok" ? this.to("soft", "filling") : null
  }

  /** The level as it is, as it was told last. */
  get current(): Change {
    const reason = { ok: "queue_recovered", soft: "filling", hard: "high_watermark" } as const
    return { level: this.level, reason: reason[this.level] }
  }

  private to(level: Level, reason: Change["reason"]): Change | null {
    if (this.level === level) return null
    this.level = level
    return { level, reason }
  }
}
