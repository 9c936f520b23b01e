import { isoNanos } from "../../domain/records/instantText.ts"
import type { Trade } from "../../domain/records/Trade.ts"
import { decimal, grouped } from "../format/Numbers.ts"
import { oneLine } from "../terminal/Style.ts"

/** `13:30:00.123456789  SPY  450.12  x 100  XNAS`, the time in UTC. */
export const tradeLine = (symbol: string, { price, size, tsNs, venue }: Trade): string =>
  [
    isoNanos(tsNs).slice(11, -1),
    oneLine(symbol).padEnd(8),
    decimal(price).padStart(10),
    (size === null ? "" : `x ${grouped(size)}`).padEnd(10),
    oneLine(venue ?? "")
  ]
    .join("  ")
    .trimEnd()
