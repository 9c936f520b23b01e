/** IB's words for what is traded in those that every vendor has, and the spelling by which a contract is asked for again. */
import { Result } from "effect"
import type { Contract, ContractKind } from "../../../domain/Contract.ts"
import { contractNamed } from "./contract.ts"

const kinds: Readonly<Record<string, ContractKind>> = {
  STK: "stock",
  CASH: "currency",
  IND: "index",
  FUT: "future",
  CONTFUT: "future",
  OPT: "option",
  CRYPTO: "crypto",
  CFD: "cfd",
  FUND: "fund",
  CMDTY: "commodity"
}

export const kindOf = (secType: string): ContractKind => kinds[secType] ?? "other"

/** IB's word for a kind; of futures the one that has dates. */
export const secTypeOf = (kind: ContractKind): string =>
  Object.entries(kinds).find(([, one]) => one === kind)?.[0] ?? ""

/** `2026-06-19` of `20260619`, whatever follows; null where there is no whole date. */
export const dateOf = (text: string): string | null => {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})(?!\d)/.exec(text) ?? []
  return year === undefined ? null : `${year}-${month}-${day}`
}

/** Of an option, as IB writes it: `C`, `CALL`, `P` or `PUT`; null of anything else. */
export const rightOf = (text: string | undefined): "C" | "P" | null =>
  text?.startsWith("C") ? "C" : text?.startsWith("P") ? "P" : null

type Named = Pick<Contract, "id" | "symbol" | "currency"> &
  Partial<Pick<Contract, "exchange" | "expiry" | "right" | "strike" | "tradingClass">> & { readonly secType: string }

const spelled = ({ currency, exchange = "SMART", expiry, right, secType, strike, symbol }: Named): string | null => {
  const date = expiry?.replaceAll("-", "")
  const at = exchange === "SMART" || exchange === "" ? "" : `@${exchange}`
  switch (secType) {
    case "STK":
      return `${symbol.replace(" ", ".")}${at}`
    case "CASH":
      return `${symbol}.${currency}${exchange === "IDEALPRO" ? "" : at}`
    case "FUT":
      return date === undefined ? null : `FUT:${symbol}-${date}${at}`
    case "OPT":
      return date === undefined || strike == null ? null : `OPT:${symbol}-${date}-${right}-${strike}${at}`
    default:
      return kinds[secType] === undefined ? null : `${secType}:${symbol}${at}`
  }
}

/** A name that means this contract and no other; by its number where symbol and kind do not tell it apart. */
export const nameOf = (contract: Named): string => {
  const { currency, id, secType, symbol, tradingClass = symbol } = contract
  const text = spelled(contract)
  // Another class of one symbol and date is another contract; another currency is not part of a name.
  const plain = (secType !== "OPT" || tradingClass === symbol) && (secType === "CASH" || currency === "USD")
  const named = text === null || !plain ? null : contractNamed(text, null)
  // Some symbols are written as others: a dot of IB's own would come back as a blank.
  return named !== null && Result.isSuccess(named) && named.success.contract.symbol === symbol
    ? named.success.symbol
    : `#${id}`
}
