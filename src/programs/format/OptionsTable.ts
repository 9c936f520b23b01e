/** A snapshot of options as traders read one: calls to the left, puts to the right, the strike between them, and a rule where the price is. */
import { type OptionsSnapshot, unlisted } from "../../domain/OptionsSnapshot.ts"
import type { OptionSnapshot } from "../../domain/records/OptionSnapshot.ts"
import type { Style } from "../terminal/Style.ts"
import { counted, decimal, grouped } from "./Numbers.ts"
import { type Column, render } from "./Table.ts"
import { displayWidth } from "./Width.ts"

interface Field {
  readonly column: Column
  /** `digits` is how many decimals prices have. */
  readonly text: (row: OptionSnapshot, digits: number) => string
  /** Left out first where the terminal is narrow. */
  readonly spare: number
}

const count = (value: number | null): string => (value === null ? "" : grouped(value))
const rounded = (value: number | null, digits: number): string => (value === null ? "" : value.toFixed(digits))

/** From the strike outwards. */
const fields: ReadonlyArray<Field> = [
  { column: { header: "bid", align: "decimal" }, text: ({ bid }, digits) => rounded(bid, digits), spare: 0 },
  { column: { header: "ask", align: "decimal" }, text: ({ ask }, digits) => rounded(ask, digits), spare: 0 },
  { column: { header: "last", align: "decimal" }, text: ({ last }, digits) => rounded(last, digits), spare: 1 },
  {
    column: { header: "iv", align: "right" },
    text: ({ iv }) => (iv === null ? "" : `${(iv * 100).toFixed(1)}%`),
    spare: 2
  },
  { column: { header: "delta", align: "right" }, text: ({ delta }) => rounded(delta, 3), spare: 3 },
  { column: { header: "gamma", align: "right" }, text: ({ gamma }) => rounded(gamma, 4), spare: 6 },
  { column: { header: "theta", align: "right" }, text: ({ theta }) => rounded(theta, 3), spare: 5 },
  { column: { header: "vega", align: "right" }, text: ({ vega }) => rounded(vega, 3), spare: 7 },
  { column: { header: "volume", align: "right" }, text: ({ volume }) => count(volume), spare: 5 },
  { column: { header: "open int", align: "right" }, text: ({ openInterest }) => count(openInterest), spare: 4 }
]

const strikeColumn: Column = { header: "strike", align: "decimal" }

/** As many as any price of the table has, so that all of them can be compared at a glance. */
const digitsOf = (rows: ReadonlyArray<OptionSnapshot>): number =>
  Math.min(
    6,
    Math.max(
      2,
      ...rows.flatMap(({ ask, bid, last }) =>
        [ask, bid, last].map((value) => (value === null ? 0 : (decimal(value).split(".")[1]?.length ?? 0)))
      )
    )
  )

/** Both sides of each strike, ascending. */
const sidesOf = (rows: ReadonlyArray<OptionSnapshot>) => {
  const sides = new Map<number, { call?: OptionSnapshot; put?: OptionSnapshot }>()
  for (const row of rows) {
    const both = sides.get(row.strike) ?? {}
    sides.set(row.strike, row.right === "C" ? { ...both, call: row } : { ...both, put: row })
  }
  return [...sides].sort(([a], [b]) => a - b)
}

const title = ({ currency, exchange, expiry, multiplier, spot, tradingClass, underlying }: OptionsSnapshot): string =>
  [
    underlying,
    expiry,
    spot === null ? "no price" : `at ${decimal(spot)} ${currency}`,
    tradingClass === underlying ? null : `class ${tradingClass}`,
    exchange,
    multiplier === null ? null : `${decimal(multiplier)} a contract`
  ]
    .filter((part) => part !== null)
    .join("  ")

/** Those that are not listed in a line, each other one in its own. */
const omissions = ({ omitted }: OptionsSnapshot): ReadonlyArray<string> => {
  const nameOf = ({ right, strike }: { readonly right: string; readonly strike: number }) =>
    `${right} ${decimal(strike)}`
  const missing = omitted.filter(({ reason }) => reason === unlisted)
  return [
    ...(missing.length === 0 ? [] : [`not listed: ${missing.map(nameOf).join(", ")}`]),
    ...omitted.filter(({ reason }) => reason !== unlisted).map((one) => `${nameOf(one)}: ${one.reason}`)
  ]
}

/** No line of the table is longer than `width` where that can be helped by leaving columns out. */
export const optionsLines = (snapshot: OptionsSnapshot, style: Style, width: number): ReadonlyArray<string> => {
  const sides = sidesOf(snapshot.rows)
  const digits = digitsOf(snapshot.rows)
  const tableOf = (most: number) => {
    const shown = fields.filter(({ spare }) => spare <= most)
    // A price to buy at before one to sell at is read wrongly: bid and ask keep their order.
    const [bid, ask, ...others] = shown
    const outwards = [...others.toReversed(), ...[bid, ask].filter((field) => field !== undefined)]
    const side = (row: OptionSnapshot | undefined, of: ReadonlyArray<Field>) =>
      of.map(({ text }) => (row === undefined ? "" : text(row, digits)))
    const columns = [...outwards.map(({ column }) => column), strikeColumn, ...shown.map(({ column }) => column)]
    const rows = sides.map(([strike, { call, put }]) => [...side(call, outwards), decimal(strike), ...side(put, shown)])
    const lines = render(columns, rows)
    return { lines, width: Math.max(...lines.map(displayWidth)) }
  }
  let spare = Math.max(...fields.map((field) => field.spare))
  let table = tableOf(spare)
  while (table.width > width && spare > 0) {
    spare -= 1
    table = tableOf(spare)
  }
  const [header = "", ...body] = table.lines
  const middle = header.indexOf("strike") + 3
  const sideTitles = `${" ".repeat(Math.max(0, Math.floor(middle / 2) - 3))}CALLS`.padEnd(
    middle + Math.floor(middle / 2) - 2
  )
  const { spot } = snapshot
  const rule = spot === null ? "" : ` ${decimal(spot)} `
  const left = Math.max(0, middle - Math.floor(rule.length / 2))
  const ruled = `${"─".repeat(left)}${rule}${"─".repeat(Math.max(0, table.width - left - rule.length))}`
  const above = spot === null ? -1 : sides.findIndex(([strike]) => strike > spot)
  return [
    style.bold(title(snapshot)),
    ...(body.length === 0 ? [] : [style.dim(`${sideTitles}PUTS`), style.bold(header)]),
    ...body.flatMap((line, index) => (index === above && index > 0 ? [style.cyan(ruled), line] : [line])),
    ...omissions(snapshot).map(style.dim),
    ...(body.length === 0 ? ["no options to show"] : [style.dim(counted(snapshot.rows.length, "contract"))])
  ]
}
