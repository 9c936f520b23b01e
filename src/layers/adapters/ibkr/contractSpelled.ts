/** How a contract that is held is written here: the text that, put to `contractNamed`, means the same. */
import { dateOf, nameOf, rightOf } from "./contractKinds.ts"
import type { IbContract } from "./GatewayApi.ts"

/** What IB says of a contract that is held; as it reads numbers, a multiplier may be one. */
export type HeldContract = Omit<IbContract, "conId" | "multiplier"> & {
  readonly conId: number
  readonly multiplier?: number | string | undefined
}

const dated = (secType: string): boolean => secType === "OPT" || secType === "FUT"

/**
 * By its parts where they say all, else by its number at IB. A share is held and not at an exchange, and the one that IB names is where it is listed; that of
 * a future belongs to its name, and IB leaves it out where there are several.
 */
export const contractSpelled = (held: HeldContract): string => {
  const { conId, currency = "", exchange = "", right, secType = "", strike, symbol = "" } = held
  const tradingClass = held.tradingClass === "" ? symbol : (held.tradingClass ?? symbol)
  const expiry = dateOf(held.lastTradeDateOrContractMonth ?? "")
  if (secType === "FUT" && tradingClass !== symbol) return `#${conId}`
  return nameOf({
    id: String(conId),
    symbol,
    secType,
    currency,
    tradingClass,
    ...(secType === "STK" || secType === "OPT" ? {} : { exchange: secType === "CASH" ? "IDEALPRO" : exchange }),
    ...(dated(secType) ? { expiry } : {}),
    ...(secType === "OPT" ? { right: rightOf(right), strike: strike ?? null } : {})
  })
}
