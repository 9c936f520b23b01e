import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { unlisted } from "../../domain/OptionsSnapshot.ts"
import { iso } from "../../domain/TimeRange.ts"
import type { VendorDescription } from "../../services/AdapterRegistry.ts"
import { ContractLookups } from "../../services/ContractLookups.ts"
import { Ended } from "../failure/Ended.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { optionsLines } from "../format/OptionsTable.ts"
import { vendorFlag, vendorsHere, vendorsThere } from "../streams/streamVendor.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"
import { withOwner } from "../withData.ts"
import { currencyFlag } from "./ibkr/named.ts"

const isDate = (text: string): boolean => {
  const date = text.replaceAll("-", "")
  if (!/^\d{8}$/.test(date) || (text.includes("-") && !/^\d{4}-\d{2}-\d{2}$/.test(text))) return false
  const written = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
  const at = Date.parse(written)
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(written)
}

const flags = {
  symbol: Argument.String("symbol").pipe(Argument.withDescription("The underlying, in the vendor's spelling")),
  expiry: Flag.String("expiry").pipe(
    Flag.withMetavar("DATE"),
    Flag.withDescription("Options of this date, as 2026-06-19 or 20260619; the nearest unless given"),
    Flag.filter(isDate, () => "a date, as 2026-06-19 or 20260619"),
    Flag.optional
  ),
  maxContracts: Flag.Int("max-contracts").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("At most so many, nearest to the price first (50, and never more than OPTIONS_MAX_CONTRACTS)"),
    Flag.filter(
      (count) => count > 0,
      () => "a whole number above 0"
    ),
    Flag.optional
  ),
  currency: currencyFlag,
  vendor: vendorFlag
}

/** The vendor that is meant. One that is named is taken as it is: whether it has options, it says itself. */
const vendorOf = (
  given: Option.Option<string>,
  vendors: ReadonlyArray<VendorDescription>
): Effect.Effect<string, UsageError> => {
  if (Option.isSome(given)) return Effect.succeed(given.value)
  const names = vendors.filter(({ lookups = [] }) => lookups.includes("quote")).map(({ name }) => name)
  const [only] = names
  if (only !== undefined && names.length === 1) return Effect.succeed(only)
  const message =
    names.length === 0
      ? "no vendor of the configuration has options; set IB_HOST or IB_PORT, or configure one of adapter ibkr"
      : `several vendors have options (${names.join(", ")}); say which with --vendor`
  return Effect.fail(new UsageError({ message }))
}

const given = <Key extends string, A>(key: Key, value: Option.Option<A>): { readonly [K in Key]?: A } =>
  Option.isSome(value) ? ({ [key]: value.value } as { readonly [K in Key]: A }) : {}

const options = Effect.fn("tapestry options")(function* (input: Command.Command.Config.Infer<typeof flags>) {
  const query = {
    symbol: input.symbol,
    ...given("expiry", input.expiry),
    ...given("maxContracts", input.maxContracts),
    ...given("currency", input.currency)
  }
  const of = Effect.fnUntraced(function* (vendors: ReadonlyArray<VendorDescription>) {
    const vendor = yield* vendorOf(input.vendor, vendors)
    return yield* (yield* ContractLookups).options(vendor, query)
  })
  const snapshot = yield* withOwner(Effect.flatMap(vendorsHere, of), (client) =>
    Effect.flatMap(vendorsThere(client), of)
  )
  const { line, lines, terminal } = yield* Output
  const document = { ...snapshot, rows: snapshot.rows.map((row) => ({ ...row, ts: iso(row.ts) })) }
  yield* (yield* Json)
    ? line(JSON.stringify(document))
    : lines(optionsLines(snapshot, styleOf(terminal), terminal.isTerminal ? terminal.columns : 200))
  if (snapshot.omitted.some(({ reason }) => reason !== unlisted)) return yield* new Ended({ code: 3 })
}, asCommand("options"))

export const command = Command.make("options", flags, options).pipe(
  Command.withDescription(
    "The options of an underlying about its price, as they stand now: bid, ask, last, volatility, greeks and open interest as the vendor gives them; calls to the left of the strike, puts to the right. What is not listed is left out and said. Each contract is asked for and archived by itself, a few at a time. Ends with 3 where some could not be had."
  ),
  Command.withShortDescription("Options of an underlying about its price, as they stand now"),
  Command.withExamples([
    { command: "tapestry options AAPL", description: "The nearest date" },
    { command: "tapestry options AAPL --expiry 2026-06-19 --max-contracts 20 --json", description: "As a document" }
  ])
)
