import { Effect } from "effect"
import type { OptionChain } from "../../../../domain/Contract.ts"
import type { ContractLookups, ContractLookupsError } from "../../../../services/ContractLookups.ts"
import { fewOptions } from "./bounds.ts"
import type { Options } from "./MarketApi.ts"

export interface OptionsQuery {
  readonly symbol: string
  readonly expiry?: string
  readonly max_contracts?: number
}

const dateOf = (text: string): string =>
  text.includes("-") ? text : `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`

/** A call and a put each. */
const contractsOf = ({ expirations, strikes }: OptionChain): number => expirations.length * strikes.length * 2

/** From the middle of a list outwards, in the order of the list: strikes are listed around the price. */
const middle = <A>(all: ReadonlyArray<A>, count: number): ReadonlyArray<A> => {
  const from = Math.floor((all.length - count) / 2)
  return all.length <= count ? all : all.slice(from, from + count)
}

/** As many strikes, and then dates, as the contracts that are left allow. */
const cut = (chain: OptionChain, most: number): OptionChain => {
  if (contractsOf(chain) <= most) return chain
  const pairs = Math.floor(most / 2)
  const dates = Math.max(1, Math.min(chain.expirations.length, Math.floor(pairs / chain.strikes.length)))
  return {
    ...chain,
    expirations: chain.expirations.slice(0, dates),
    strikes: middle(chain.strikes, Math.floor(pairs / dates))
  }
}

/** The options of an underlying, as many as are wanted; `quoting`: with what those of one date stand at. */
export const options = Effect.fnUntraced(function* (
  lookups: ContractLookups["Service"],
  vendor: string,
  quoting: boolean,
  { expiry, max_contracts, symbol }: OptionsQuery
): Effect.fn.Return<Options, ContractLookupsError> {
  const all = yield* lookups.chain(vendor, { symbol })
  const date = expiry === undefined ? null : dateOf(expiry)
  const wanted =
    date === null
      ? all
      : all
          .filter(({ expirations }) => expirations.includes(date))
          .map((chain): OptionChain => ({ ...chain, expirations: [date] }))
  const chains: Array<OptionChain> = []
  let left = max_contracts ?? fewOptions
  for (const chain of wanted) {
    if (left < 2) break
    const some = cut(chain, left)
    left -= contractsOf(some)
    chains.push(some)
  }
  const quotes =
    date === null || chains.length === 0 || !quoting
      ? null
      : yield* lookups.options(vendor, {
          symbol,
          expiry: date,
          ...(max_contracts === undefined ? {} : { maxContracts: max_contracts })
        })
  const count = chains.reduce((sum, chain) => sum + contractsOf(chain), 0)
  return {
    symbol,
    vendor,
    expiry: date,
    expirations: [...new Set(all.flatMap(({ expirations }) => expirations))].toSorted(),
    chains,
    contracts: count,
    truncated: count < wanted.reduce((sum, chain) => sum + contractsOf(chain), 0),
    quotes
  }
})
