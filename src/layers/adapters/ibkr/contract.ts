/**
 * How a contract is written, and what IB is asked for it.
 *
 * `AAPL` a share, `BRK.B` one of a class (IB writes a blank there), `EUR.USD` a pair of currencies, `IND:SPX@CBOE` an index,
 * `FUT:ES-20260619@CME` a future (`CONTFUT:ES@CME` the nearest), `OPT:AAPL-20260515-C-200` an option, `CRYPTO:BTC@PAXOS`, and `#265598` whatever has that
 * number at IB. The exchange is SMART (of currencies IDEALPRO) unless it is said.
 */
import { Result } from "effect"
import type { IbContract } from "./GatewayApi.ts"

const types = ["STK", "CASH", "IND", "FUT", "CONTFUT", "OPT", "CRYPTO", "CFD", "FUND", "CMDTY"] as const
type SecType = (typeof types)[number]

const isType = (text: string): text is SecType => types.some((type) => type === text)

/** A contract in the parts of its spelling. */
export interface ContractName {
  /** In its one spelling: what identifies a series. */
  readonly symbol: string
  readonly secType: SecType | null
  readonly contract: IbContract
}

const pair = /^([A-Z]{3})\.([A-Z]{3})$/
const shape =
  /^(?:([A-Z]+):)?([A-Z0-9][A-Z0-9. &/]{0,19}?)(?:-(\d{6}|\d{8}))?(?:-([CP])-(\d{1,7}(?:\.\d{1,4})?))?(?:@([A-Z0-9.]{1,12}))?$/
const numbered = /^#([1-9]\d{0,9})(?:@([A-Z0-9.]{1,12}))?$/

const expected = "one looks like AAPL, EUR.USD, IND:SPX@CBOE, FUT:ES-20260619@CME or OPT:AAPL-20260515-C-200"

const fail = (text: string, why: string) => Result.fail(`${JSON.stringify(text)} is no contract: ${why}`)

/** The contract that a text means. `inCurrency` is that of the series; null: USD, or what the pair says. */
export const contractNamed = (text: string, inCurrency: string | null): Result.Result<ContractName, string> => {
  const currency = inCurrency?.trim().toUpperCase() ?? null
  if (currency !== null && !/^[A-Z]{3}$/.test(currency)) {
    return Result.fail(`${JSON.stringify(inCurrency)} is no currency: one looks like USD`)
  }
  const upper = text.trim().toUpperCase()
  const number = numbered.exec(upper)
  if (number !== null) {
    const exchange = number[2] ?? "SMART"
    const symbol = exchange === "SMART" ? `#${number[1]}` : `#${number[1]}@${exchange}`
    return Result.succeed({ symbol, secType: null, contract: { conId: Number(number[1]), exchange } })
  }
  const parts = shape.exec(upper)
  if (parts === null) return fail(text, expected)
  const [, prefix, name = "", expiry, right, strike, at] = parts
  const currencies = pair.exec(name)
  const secType = prefix ?? (currencies === null ? "STK" : "CASH")
  if (!isType(secType)) return fail(text, `its kind is one of ${types.join(", ")}`)
  if (secType === "CASH") {
    if (currencies === null || expiry !== undefined) return fail(text, "a pair of currencies looks like EUR.USD")
    const [, base = "", quote = ""] = currencies
    if (currency !== null && currency !== quote) return fail(text, `it is in ${quote}, not in ${currency}`)
    const exchange = at ?? "IDEALPRO"
    return Result.succeed({
      symbol: exchange === "IDEALPRO" ? name : `${name}@${exchange}`,
      secType,
      contract: { symbol: base, secType, exchange, currency: quote }
    })
  }
  if (secType === "OPT" && (expiry === undefined || right === undefined)) {
    return fail(text, "an option has a date, C or P and a strike: OPT:AAPL-20260515-C-200")
  }
  if (secType === "FUT" && (expiry === undefined || right !== undefined || at === undefined)) {
    return fail(text, "a future has a month or date and an exchange: FUT:ES-20260619@CME")
  }
  if (secType !== "OPT" && secType !== "FUT" && expiry !== undefined) {
    return fail(text, "only futures and options have a date")
  }
  if (right !== undefined && secType !== "OPT") return fail(text, "only an option has C or P and a strike")
  if ((secType === "IND" || secType === "CONTFUT" || secType === "CRYPTO") && at === undefined) {
    return fail(text, `${secType} needs its exchange: IND:SPX@CBOE, CONTFUT:ES@CME, CRYPTO:BTC@PAXOS`)
  }
  const exchange = at ?? "SMART"
  const contract: IbContract = {
    // A class of shares has a blank before it at IB.
    symbol: secType === "STK" ? name.replace(".", " ") : name,
    secType,
    exchange,
    currency: currency ?? "USD",
    ...(expiry === undefined ? {} : { lastTradeDateOrContractMonth: expiry }),
    ...(right === undefined ? {} : { right, strike: Number(strike) }),
    // What has expired can be asked for its past.
    ...(secType === "FUT" ? { includeExpired: true } : {})
  }
  const kind = secType === "STK" ? "" : `${secType}:`
  const dated = expiry === undefined ? "" : `-${expiry}`
  const struck = right === undefined ? "" : `-${right}-${Number(strike)}`
  const routed = exchange === "SMART" ? "" : `@${exchange}`
  const spelled = secType === "STK" ? name.replace(" ", ".") : name
  return Result.succeed({ symbol: `${kind}${spelled}${dated}${struck}${routed}`, secType, contract })
}

/** Futures, indices and what is made of them may be at or below zero; a share that costs nothing has no price. */
export const mayBeNegative = (secType: string | undefined): boolean =>
  secType === "FUT" || secType === "CONTFUT" || secType === "IND" || secType === "CMDTY"
