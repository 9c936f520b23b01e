import type { Trade } from "../../../domain/records/Trade.ts"

const nanosPerSecond = 1_000_000_000n

const stated = (text: string): string | null => (text === "" ? null : text)

/** A trade as IB tells it, live or of the past: to the second. Null where it is none. */
export const tradeOf = (
  seconds: number,
  price: number | null,
  size: number | null,
  exchange: string,
  conditions: string
): Trade | null =>
  Number.isSafeInteger(seconds) && price !== null
    ? {
        tsNs: BigInt(seconds) * nanosPerSecond,
        price,
        size,
        venue: stated(exchange),
        sequence: null,
        side: null,
        conditions: stated(conditions)
      }
    : null
