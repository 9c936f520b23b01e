/** How a contract that IB names is written here: the text that, put to `contractNamed`, means the same. */
import { contractNamed } from "./contract.ts"
import type { IbContract } from "./GatewayApi.ts"

/** What IB says of a contract that is held; as it reads numbers, a multiplier may be one. */
export type HeldContract = Omit<IbContract, "conId" | "multiplier"> & {
  readonly conId: number
  readonly multiplier?: number | string | undefined
}

const day = (text: string | undefined): string => text ?? ""

const parts = ({
  currency,
  exchange,
  lastTradeDateOrContractMonth,
  right,
  secType,
  strike,
  symbol = ""
}: HeldContract) => {
  switch (secType) {
    case "STK":
      return symbol.replace(" ", ".")
    case "CASH":
      return `${symbol}.${currency}`
    case "OPT":
      return `OPT:${symbol}-${day(lastTradeDateOrContractMonth)}-${right}-${strike}`
    case "FUT":
      // IB leaves the exchange out of positions in futures, which may be traded on several.
      return `FUT:${symbol}-${day(lastTradeDateOrContractMonth)}@${exchange}`
    case "CRYPTO":
      return `CRYPTO:${symbol}@${exchange}`
    default:
      return ""
  }
}

/**
 * By its parts where they say all: in dollars, and of a class that is called like the symbol (SPXW is none of SPX). Else by its number at IB, which
 * means that contract and no other.
 */
export const contractSpelled = (contract: HeldContract): string => {
  const { conId, currency, secType, symbol, tradingClass } = contract
  const number = `#${conId}`
  if (secType !== "CASH" && currency !== "USD") return number
  const classed = secType === "OPT" || secType === "FUT"
  if (classed && tradingClass !== undefined && tradingClass !== "" && tradingClass !== symbol) return number
  const text = parts(contract)
  const named = contractNamed(text, null)
  return named._tag === "Success" && named.success.secType === secType ? named.success.symbol : number
}
