/** Which options a snapshot is of. Pure. */
import type { Contract, OptionChain } from "../../domain/Contract.ts"
import type { OptionRight } from "../../domain/records/OptionSnapshot.ts"
import type { Quotable } from "../../services/LookupCapability.ts"

/** `2026-06-19` of itself or of `20260619`; anything else as it is. */
export const expiryText = (text: string): string => text.trim().replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3")

/** All dates, ascending, of what has not expired before `today`. */
export const expirationsOf = (chains: ReadonlyArray<OptionChain>, today: string): ReadonlyArray<string> =>
  [...new Set(chains.flatMap(({ expirations }) => expirations))].filter((date) => date >= today).sort()

/**
 * The chain of a date: routed by the vendor where it does that, of the class that is called like the underlying where there are several, and then
 * the one with most strikes.
 */
export const chainOf = (
  chains: ReadonlyArray<OptionChain>,
  expiry: string,
  { exchange, symbol }: Pick<Contract, "symbol" | "exchange">
): OptionChain | undefined => {
  const rank = (chain: OptionChain): number =>
    (chain.exchange === exchange ? 2 : 0) + (chain.tradingClass === symbol ? 1 : 0)
  return chains
    .filter(({ expirations }) => expirations.includes(expiry))
    .toSorted((a, b) => rank(b) - rank(a) || b.strikes.length - a.strikes.length)[0]
}

/** At most `most` options, those nearest to `spot` first; without one, to the middle of the chain. */
export const nearest = (
  underlying: Pick<Contract, "symbol" | "currency">,
  chain: OptionChain,
  expiry: string,
  spot: number | null,
  most: number
): ReadonlyArray<Quotable & { readonly strike: number; readonly right: OptionRight }> => {
  const about = spot ?? chain.strikes[Math.floor(chain.strikes.length / 2)] ?? 0
  return chain.strikes
    .toSorted((a, b) => Math.abs(a - about) - Math.abs(b - about) || a - b)
    .flatMap((strike) => (["C", "P"] as const).map((right) => ({ strike, right })))
    .slice(0, most)
    .map(({ right, strike }) => ({
      id: null,
      symbol: underlying.symbol,
      kind: "option",
      currency: underlying.currency,
      exchange: chain.exchange,
      tradingClass: chain.tradingClass,
      multiplier: chain.multiplier,
      expiry,
      right,
      strike
    }))
}
