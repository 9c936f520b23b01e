import { Schema } from "effect"
import type { StreamKind } from "./StreamKind.ts"

const Rows = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 10_000_000 })))

/**
 * What becomes of rows that a consumer has not taken yet; whatever it is, no consumer delays another or the vendor.
 *
 * - `latest`: of each slot the newest row waits, the others are skipped. Costs no memory a tick.
 * - `sliding`: up to `rows` wait; the oldest go for newer ones, and the next rows say how many went (`dropped`).
 * - `lossless`: up to `rows` wait; who has not taken them when more come is given what waits, and then fails with SlowConsumer.
 *
 * A lossless consumer is given the rows of a repaired gap beside these, and more than `rows` at once when none wait.
 */
export const ConsumerPolicy = Schema.TaggedUnion({
  latest: {},
  sliding: { rows: Rows },
  lossless: { rows: Rows }
})
export type ConsumerPolicy = typeof ConsumerPolicy.Type

const lossless: ConsumerPolicy = { _tag: "lossless", rows: 100_000 }
const latest: ConsumerPolicy = { _tag: "latest" }

/** What a consumer gets that states none: every trade, bar and headline, and of the rest what holds. */
export const defaultPolicy = (kind: StreamKind): ConsumerPolicy =>
  kind === "trades" || kind === "bars" || kind === "news" ? lossless : latest
