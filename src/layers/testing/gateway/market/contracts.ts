import type { Instrument } from "./Instrument.ts"
import type { Universe } from "./Universe.ts"

/** What a request says of the contract that it means. Empty and 0: not said. */
export interface ContractSpec {
  readonly conId: number
  readonly symbol: string
  readonly secType: string
  readonly lastTrade: string
  readonly strike: number
  readonly right: string
  readonly multiplier: string
  readonly exchange: string
  readonly primaryExchange: string
  readonly currency: string
  readonly localSymbol: string
  readonly tradingClass: string
  readonly legs: ReadonlyArray<Leg>
}

export interface Leg {
  readonly conId: number
  readonly ratio: number
  readonly action: string
  readonly exchange: string
}

const says = (said: string, is: string): boolean => said === "" || said === is

const fits = (spec: ContractSpec, one: Instrument): boolean => {
  const right = spec.right.slice(0, 1).toUpperCase()
  const unsaid = right === "" || right === "0" || right === "?"
  const secType = spec.secType === "CONTFUT" ? "FUT" : spec.secType
  const exchange = spec.exchange.split("@")[0] ?? ""
  return (
    says(secType, one.secType) &&
    says(spec.symbol, one.symbol) &&
    says(spec.localSymbol.trimEnd(), one.localSymbol.trimEnd()) &&
    says(spec.currency, one.currency) &&
    says(spec.tradingClass, one.tradingClass) &&
    says(spec.multiplier, one.multiplier) &&
    (spec.strike === 0 || spec.strike === one.strike) &&
    (unsaid || right === one.right) &&
    one.lastTrade.startsWith(spec.lastTrade.split(" ")[0] ?? "") &&
    (exchange === "" || one.validExchanges.split(",").includes(exchange)) &&
    (spec.primaryExchange === "" || one.primaryExchange === "" || spec.primaryExchange === one.primaryExchange)
  )
}

/** Every contract that a description fits; none, where it says nothing that is the name of one. */
export const matching = (universe: Universe, spec: ContractSpec): ReadonlyArray<Instrument> => {
  if (spec.conId > 0) {
    const known = universe.get(spec.conId)
    const exchange = spec.exchange
    const routed = known !== null && (exchange === "" || known.validExchanges.split(",").includes(exchange))
    return known !== null && routed ? [known] : []
  }
  if (spec.symbol === "" && spec.localSymbol === "") return []
  const simulated = universe.simulated(spec.symbol === "" ? spec.localSymbol : spec.symbol)
  const found = (simulated === null ? universe.all : [simulated]).filter((one) => fits(spec, one))
  return spec.secType === "CONTFUT" ? found.slice(0, 1) : found
}

/** The combination of legs that a request describes; null when one of them is unknown. */
const combined = (universe: Universe, spec: ContractSpec): Instrument | null => {
  const legs = spec.legs.map(({ action, conId, ratio }) => ({
    of: universe.get(conId),
    ratio: action.toUpperCase() === "SELL" ? -ratio : ratio
  }))
  const known = legs.flatMap(({ of, ratio }) => (of === null ? [] : [{ of, ratio }]))
  const [first] = known
  if (first === undefined || known.length !== legs.length) return null
  const name = `BAG ${known.map(({ of, ratio }) => `${ratio}*${of.conId}`).join(" ")}`
  return {
    ...first.of,
    conId: 28812380,
    name,
    symbol: spec.symbol,
    secType: "BAG",
    strike: 0,
    right: "",
    lastTrade: "",
    localSymbol: spec.symbol,
    tradingClass: "COMB",
    underlying: null,
    lot: 1,
    trades: true,
    cell: { millis: 1_000, events: 1 },
    seed: known.reduce((seed, { of, ratio }) => (Math.imul(seed, 31) + of.seed + ratio) | 0, 7),
    model: { _tag: "Legs", legs: known }
  }
}

export type Found =
  | { readonly _tag: "One"; readonly instrument: Instrument }
  | { readonly _tag: "None" }
  | { readonly _tag: "Several" }

/** The one contract that a description means. */
export const resolve = (universe: Universe, spec: ContractSpec): Found => {
  if (spec.secType === "BAG") {
    const bag = combined(universe, spec)
    return bag === null ? { _tag: "None" } : { _tag: "One", instrument: bag }
  }
  const [instrument, ...others] = matching(universe, spec)
  if (instrument === undefined) return { _tag: "None" }
  return others.length === 0 ? { _tag: "One", instrument } : { _tag: "Several" }
}
