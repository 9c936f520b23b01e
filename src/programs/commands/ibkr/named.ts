import { Effect, Option, Result } from "effect"
import { Argument, Flag } from "effect/cli"
import type { ContractQuery } from "../../../services/LookupCapability.ts"
import { UsageError } from "../../failure/UsageError.ts"

export const symbolArgument = Argument.String("symbol").pipe(
  Argument.withDescription("As AAPL, EUR.USD, IND:SPX@CBOE, FUT:ES-20260619@CME or OPT:AAPL-20260515-C-200")
)

export const currencyFlag = Flag.String("currency").pipe(
  Flag.withMetavar("CUR"),
  Flag.withDescription("The currency that it is in; USD unless given"),
  Flag.optional
)

/** The contract that a user means, in its one spelling. */
export const contractMeant = Effect.fnUntraced(function* (symbol: string, currency: Option.Option<string>) {
  const { contractNamed } = yield* Effect.promise(() => import("../../../layers/adapters/ibkr/contract.ts"))
  const upper = Option.map(currency, (text) => text.toUpperCase())
  const named = contractNamed(symbol, Option.getOrNull(upper))
  if (Result.isFailure(named)) return yield* new UsageError({ message: named.failure })
  const query: ContractQuery = {
    symbol: named.success.symbol,
    ...(Option.isNone(upper) ? {} : { currency: upper.value })
  }
  return query
})
