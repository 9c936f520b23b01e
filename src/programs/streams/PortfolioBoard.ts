/** What the live table of an account shows: its figures, and what it holds, by symbol, with what each has won and lost. */
import { isRows, type StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import type { AccountValue, Holding, ProfitAndLoss } from "../../domain/streams/StreamRow.ts"
import { fittedTable, lowered, type SpareColumn } from "../format/fitted.ts"
import { decimal, grouped } from "../format/Numbers.ts"
import { clipped, displayWidth } from "../format/Width.ts"
import { oneLine, type Style } from "../terminal/Style.ts"
import { wordsOf } from "./streamWords.ts"

const columns: ReadonlyArray<SpareColumn> = [
  { header: "symbol", align: "left", spare: 0 },
  { header: "position", align: "right", spare: 0 },
  { header: "price", align: "point", spare: 4 },
  { header: "value", align: "right", spare: 1 },
  { header: "average cost", align: "point", spare: 6 },
  { header: "today", align: "right", spare: 2 },
  { header: "unrealized", align: "right", spare: 3 },
  { header: "realized", align: "right", spare: 5 },
  { header: "", align: "left", spare: 0 }
]

/** As many of the parts as there is room for: the rest is left out whole. */
const joined = (parts: ReadonlyArray<string>, width: number): string => {
  let text = ""
  for (const part of parts) {
    const longer = text === "" ? part : `${text}   ${part}`
    if (longer.length > width) break
    text = longer
  }
  return text
}

const money = (value: number | null): string => {
  if (value === null) return "-"
  const [whole = "0", cents = "00"] = Math.abs(value).toFixed(2).split(".")
  return `${value < 0 && Number(`${whole}.${cents}`) !== 0 ? "-" : ""}${grouped(Number(whole))}.${cents}`
}
const price = (value: number | null): string => (value === null ? "-" : decimal(Math.round(value * 1e4) / 1e4))

export interface PortfolioBoard {
  readonly take: (item: StreamItem) => void
  /** Two lines of figures, the table, and below it the last words; no line is longer than `width`, and there are at most `height`. */
  readonly lines: (style: Style, width: number, height?: number) => ReadonlyArray<string>
}

export const portfolioBoard = (keys: ReadonlyArray<StreamKey>): PortfolioBoard => {
  const account = oneLine(keys[0]?.symbol ?? "")
  const holdings = new Map<string, Holding>()
  const profits = new Map<string, ProfitAndLoss>()
  const values = new Map<string, AccountValue>()
  /** Streams that do not send now, and what of the portfolio has come since it began again. */
  const broken = new Set<number>()
  const renewed = new Set<string>()
  let words = ""
  let at = 0

  const takeRows = (event: StreamItem["event"]) => {
    if (event._tag === "Portfolio") {
      for (const row of event.rows) {
        at = Math.max(at, row.ts)
        renewed.add(row.symbol)
        if (row.position === 0) holdings.delete(row.symbol)
        else holdings.set(row.symbol, row)
      }
    }
    if (event._tag === "Pnl") for (const row of event.rows) profits.set(row.symbol ?? "", row)
    // An account that has several currencies has a figure in each, and one over all.
    if (event._tag === "Account") for (const row of event.rows) if (row.currency !== "BASE") values.set(row.tag, row)
  }

  const figure = (label: string, tag: string): string => {
    const row = values.get(tag)
    const value = row === undefined ? null : Number(row.value)
    return `${label} ${money(Number.isFinite(value) ? value : null)}`
  }

  return {
    take: ({ event, stream }) => {
      if (isRows(event)) {
        takeRows(event)
        if (!event.snapshot) broken.delete(stream)
        return
      }
      switch (event._tag) {
        case "Gap":
          broken.add(stream)
          renewed.clear()
          words = wordsOf(account, event) ?? words
          break
        case "Resumed":
          broken.delete(stream)
          if (broken.size === 0) words = ""
          break
        case "Closed":
          broken.add(stream)
          words = wordsOf(account, event) ?? words
          break
        case "DataType":
          words = wordsOf(account, event) ?? words
          break
        case "SnapshotComplete":
          if (keys[stream]?.kind !== "portfolio") break
          // What it did not send again it does not hold any more.
          for (const symbol of holdings.keys()) if (!renewed.has(symbol)) holdings.delete(symbol)
          break
        default:
      }
    },
    lines: (style, width, height = Number.POSITIVE_INFINITY) => {
      const cut = (text: string) => clipped(text, width)
      const word = words === "" ? [] : [style.dim(cut(words))]
      const total = profits.get("")
      const currency = values.get("NetLiquidation")?.currency
      const stale = broken.size > 0 ? "  stale" : ""
      const when = at === 0 ? "" : `  ${new Date(at).toISOString().slice(11, 23)}Z`
      const today = `today ${money(total?.daily ?? null)}`
      const profit = joined(
        [today, `unrealized ${money(total?.unrealized ?? null)}`, `realized ${money(total?.realized ?? null)}`],
        width
      )
      const figures = [
        figure("net liquidation", "NetLiquidation"),
        figure("cash", "TotalCashValue"),
        figure("buying power", "BuyingPower")
      ]
      const won = (total?.daily ?? 0) < 0 ? style.red : style.green
      const [header = "", ...rows] = fittedTable(
        columns,
        [...holdings.values()]
          .sort((one, other) => (one.symbol < other.symbol ? -1 : 1))
          .map((row) => [
            oneLine(row.symbol),
            grouped(row.position),
            price(row.marketPrice),
            money(row.marketValue),
            price(row.averageCost),
            money(profits.get(row.symbol)?.daily ?? null),
            money(row.unrealized),
            money(row.realized),
            row.currency === null || row.currency === currency ? "" : oneLine(row.currency)
          ]),
        (lines) => Math.max(...lines.map(displayWidth)) <= width
      )
      const shown = lowered(rows, Math.max(1, height - 4 - word.length))
      return [
        style.bold(cut(`${account}${currency == null ? "" : `  ${oneLine(currency)}`}${when}${stale}`)),
        joined(figures, width),
        `${won(profit.slice(0, today.length))}${profit.slice(today.length)}`,
        ...(rows.length === 0
          ? [style.dim(cut(at === 0 && values.size === 0 ? "waiting" : "no positions"))]
          : [style.bold(cut(header)), ...shown.map((row) => (stale === "" ? cut(row) : style.yellow(cut(row))))]),
        ...word
      ].slice(0, height)
    }
  }
}
