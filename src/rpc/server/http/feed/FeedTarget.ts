import { Result } from "effect"
import { problem } from "../problem.ts"
import type { Refusal } from "../Refusal.ts"

/** What is served as JSON over a WebSocket. */
export const feedKinds = ["quotes", "depth", "portfolio"] as const
export type FeedKind = (typeof feedKinds)[number]

/** What the address of a feed says. */
export interface FeedTarget {
  readonly kind: FeedKind
  /** Of a portfolio: the account. */
  readonly symbol: string
  /** Null: the one that streams this. */
  readonly vendor: string | null
  /** Whether a row that waits is replaced by a newer one; else each is sent while there is room. */
  readonly conflate: boolean
}

const longestSymbol = 64

const refused = (detail: string): Result.Result<never, Refusal> =>
  Result.fail(problem(400, { detail, error: "BadRequest" }))

const decoded = (part: string): string | null => {
  const text = Result.try(() => decodeURIComponent(part))
  return Result.isSuccess(text) ? text.success.trim() : null
}

const known = "vendor=NAME and conflate=true or false"

const conflated = (text: string | null): boolean | null =>
  text === null || text === "true" ? true : text === "false" ? false : null

/** `path` as the router reads it (pathOf), `search` behind its question mark. Null: no address of a feed. */
export const feedTarget = (path: string, search: string): Result.Result<FeedTarget, Refusal> | null => {
  const [, root, name, part, ...more] = path.split("/")
  const kind = feedKinds.find((one) => one === name)
  if (root !== "ws" || kind === undefined || part === undefined || part === "" || more.length > 0) return null
  const symbol = decoded(part)
  const what = kind === "portfolio" ? "account" : "symbol"
  if (symbol === null || symbol === "" || symbol.length > longestSymbol) {
    return refused(`the ${what} of the path is percent-encoded text of 1 to ${longestSymbol} characters`)
  }
  const query = new URLSearchParams(search)
  const names = [...query.keys()]
  const unknown = names.find((key) => key !== "vendor" && key !== "conflate")
  if (unknown !== undefined) return refused(`${unknown.slice(0, 40)} is no parameter here; there are ${known}`)
  if (new Set(names).size < names.length) return refused(`a parameter is given once; there are ${known}`)
  const vendor = query.get("vendor")
  const conflate = conflated(query.get("conflate"))
  if (vendor === "" || conflate === null) return refused(`the parameters are ${known}`)
  return Result.succeed({ kind, symbol, vendor, conflate })
}
