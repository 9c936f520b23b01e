/** Which field a column of an imported text is: by its name, whatever its case and underscores, and by the names that others use. */
import { Result } from "effect"
import type { Column } from "../../domain/records/Column.ts"
import { optional, required } from "../../domain/records/Column.ts"
import { recordKinds } from "../../domain/records/RecordKind.ts"
import type { ImportKind, ImportSpec } from "../../services/Imports.ts"
import { nearest } from "../config/nearest.ts"

/** Where a column's values go. */
export type Target =
  | { readonly _tag: "Stamp"; readonly nanos: boolean }
  | { readonly _tag: "Series"; readonly part: keyof ImportSpec["defaults"] }
  | { readonly _tag: "Cell"; readonly index: number }
  | { readonly _tag: "Ignored" }

export const barColumns: ReadonlyArray<Column> = [
  ...["open", "high", "low", "close"].map((name) => required(name, "real")),
  ...["volume", "vwap", "count"].map((name) => optional(name, "real"))
]

export const columnsOf = (kind: ImportKind): ReadonlyArray<Column> =>
  kind === "bar" ? barColumns : recordKinds[kind].columns

const normal = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[_\s-]/g, "")

const stamps = ["ts", "timestamp", "time", "datetime", "date"]
const stampsOf: Readonly<Partial<Record<ImportKind, ReadonlyArray<string>>>> = {
  news: [...stamps, "publishedat"],
  fundamental: [...stamps, "asof"]
}

/** Other names of columns, as market-data-store and its vendors write them. */
const aliases: Readonly<Partial<Record<ImportKind, Readonly<Record<string, string>>>>> = {
  bar: {
    openprice: "open",
    highprice: "high",
    lowprice: "low",
    closeprice: "close",
    trades: "count",
    tradecount: "count"
  },
  news: { headline: "title", link: "url", sentimentscore: "sentiment" },
  option: { optiontype: "right", type: "right", oi: "openinterest", impliedvolatility: "iv", expiration: "expiry" },
  trade: { exchange: "venue", publisher: "venue", quantity: "size" },
  quote: {
    exchange: "venue",
    publisher: "venue",
    bidprice: "bid",
    askprice: "ask",
    bidquantity: "bidsize",
    askquantity: "asksize"
  },
  statistic: { exchange: "venue", publisher: "venue", stattype: "type" }
}

const parts: Readonly<Record<string, keyof ImportSpec["defaults"]>> = {
  vendor: "vendor",
  provider: "vendor",
  dataset: "dataset",
  symbol: "symbol",
  ticker: "symbol",
  timeframe: "timeframe",
  interval: "timeframe",
  price: "price",
  pricebasis: "price",
  session: "session",
  currency: "currency",
  adjustment: "adjustment"
}
const barParts = new Set(["timeframe", "price", "session", "adjustment"])

/** Who wrote the row and when, in stores that keep that in the row; what an export of ours says of its origin. */
const bookkeeping = new Set(["tenantid", "id", "createdat", "updatedat", "response", "position", "kind", "series"])

/** What a column of this name is; null where nothing has it. */
export const targetOf = (kind: ImportKind, name: string): Target | null => {
  const given = normal(name)
  const known = aliases[kind]?.[given] ?? given
  const index = columnsOf(kind).findIndex((column) => column.name.toLowerCase() === known)
  if (index >= 0) return { _tag: "Cell", index }
  if (kind !== "bar" && recordKinds[kind].nanos) {
    if (given === "tsns" || given === "tsevent") return { _tag: "Stamp", nanos: true }
  }
  if ((stampsOf[kind] ?? stamps).includes(given)) return { _tag: "Stamp", nanos: false }
  const part = parts[given]
  if (part !== undefined && (kind === "bar" || !barParts.has(part))) return { _tag: "Series", part }
  return bookkeeping.has(given) ? { _tag: "Ignored" } : null
}

/** The names that a text of a kind may use, for messages. */
const namesOf = (kind: ImportKind): ReadonlyArray<string> => [
  "ts",
  ...(kind !== "bar" && recordKinds[kind].nanos ? ["tsNs"] : []),
  ...columnsOf(kind).map(({ name }) => name),
  ...["vendor", "dataset", "symbol", "currency"],
  ...(kind === "bar" ? ["timeframe", "session", "adjustment"] : [])
]

export const unknownColumn = (kind: ImportKind, name: string): string => {
  const meant = nearest(name, namesOf(kind))
  return `${kind === "option" ? "an" : "a"} ${kind} has no field ${JSON.stringify(name)}${meant === null ? "" : `; did you mean ${meant}?`} (columns that are not wanted: --ignore-unknown)`
}

/** The targets of a header; fails with a sentence when a column is unknown, twice there, or a required one is not there. */
export const targetsOf = (
  { kind, unknownColumns }: ImportSpec,
  names: ReadonlyArray<string>
): Result.Result<ReadonlyArray<Target>, string> => {
  const targets: Array<Target> = []
  const seen = new Map<string, string>()
  for (const name of names) {
    const target = targetOf(kind, name)
    if (target === null && unknownColumns === "refuse") return Result.fail(unknownColumn(kind, name))
    const found: Target = target ?? { _tag: "Ignored" }
    targets.push(found)
    if (found._tag === "Ignored") continue
    const key = found._tag === "Stamp" ? "the stamp" : JSON.stringify(found)
    const other = seen.get(key)
    if (other !== undefined) {
      return Result.fail(`the columns ${JSON.stringify(other)} and ${JSON.stringify(name)} are the same field`)
    }
    seen.set(key, name)
  }
  if (!seen.has("the stamp")) return Result.fail(`there is no column ts; the columns are ${names.join(", ")}`)
  const missing = columnsOf(kind).find(
    ({ nullable }, index) => !nullable && !targets.some((target) => target._tag === "Cell" && target.index === index)
  )
  return missing === undefined
    ? Result.succeed(targets)
    : Result.fail(`there is no column ${missing.name}; the columns are ${names.join(", ")}`)
}

/** What is wrong with the header of a CSV, also where it has no rows; null when nothing is. */
export const headerProblem = (spec: ImportSpec, names: ReadonlyArray<string>): string | null => {
  const targets = targetsOf(spec, names)
  if (Result.isFailure(targets)) return targets.failure
  const has = (part: keyof ImportSpec["defaults"]): boolean =>
    spec.defaults[part] !== null || targets.success.some((target) => target._tag === "Series" && target.part === part)
  const needed = ["vendor", "symbol", ...(spec.kind === "bar" ? (["timeframe"] as const) : [])] as const
  const missing = needed.find((part) => !has(part))
  return missing === undefined
    ? null
    : `there is no ${missing}: neither a column of that name nor --${missing}; the columns are ${names.join(", ")}`
}
