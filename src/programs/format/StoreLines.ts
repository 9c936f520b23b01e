/** The store's own state and sizes, for people. */
import type { SchemaReport, SeriesStats, StoreStatus, TableSize } from "../../services/ControlPlane.ts"
import { fieldLines } from "../terminal/printList.ts"
import { oneLine, type Style } from "../terminal/Style.ts"
import { bytes, grouped } from "./Numbers.ts"
import { policyLines } from "./PolicyLines.ts"
import { type Column, render } from "./Table.ts"

const meaningOf = ({ expected, state, version }: SchemaReport, style: Style): string => {
  switch (state) {
    case "current":
      return style.green(`${version}, as this release needs`)
    case "behind":
      return style.yellow(
        `${version}, this release needs ${expected}: tapestry store migrate, or the next command that writes`
      )
    case "absent":
      return style.yellow(
        `none yet, this release needs ${expected}: tapestry store migrate, or the next command that fetches`
      )
    case "unrecorded":
      return style.red(`not recorded, though there are tables: see tapestry store stamp ${expected}`)
    case "newer":
      return style.red(
        `${version}, this release knows up to ${expected}: use the release that wrote it, or a newer one`
      )
    case "foreign":
      return style.red(`${version}, by other migrations than this release has: see tapestry store migrate`)
  }
}

const table = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<ReadonlyArray<string>>, style: Style) => {
  const [header = "", ...lines] = render(
    columns,
    rows.map((row) => row.map(oneLine))
  )
  return [style.bold(header), ...lines]
}

const left = (header: string): Column => ({ header, align: "left" })
const right = (header: string): Column => ({ header, align: "right" })

export const statusLines = (status: StoreStatus, style: Style): ReadonlyArray<string> => {
  const { kinds, migrations } = status
  // Colours are not text from outside, and stay as they are.
  const schema = style.dim("schema   ") + meaningOf(status, style)
  const [store = "", ...size] = fieldLines(
    [
      ["store", `${status.store === "sqlite" ? "SQLite" : "PostgreSQL"} ${status.where}`],
      ["size", bytes(status.bytes)]
    ].map(([name = "", value = ""]) => [name.padEnd(7), value] as const),
    style.dim
  )
  const standing = migrations.filter(({ state }) => state !== "applied")
  return [
    store,
    schema,
    ...size,
    ...(standing.length === 0
      ? []
      : [
          "",
          ...table(
            [right("migration"), left("name"), left("state")],
            standing.map(({ id, name, state }) => [String(id), name ?? "-", state]),
            style
          )
        ]),
    ...(kinds === null || kinds.length === 0
      ? []
      : [
          "",
          ...table(
            [left("kind"), right("series"), right("rows"), right("revisions")],
            kinds.map(({ kind, revisions, rows, series }) => [
              kind,
              grouped(series),
              grouped(rows),
              grouped(revisions)
            ]),
            style
          )
        ]),
    ...(status.timescale === null ? [] : ["", ...policyLines(status.timescale, style)]),
    ...(status.policiesWithheld ? ["", "TimescaleDB is there; its policies are shown to the user who migrates"] : [])
  ]
}

/** The table that has the rows of a kind. */
const tableOf: Readonly<Record<string, string>> = {
  bar: "bars",
  trade: "trades",
  quote: "quotes",
  statistic: "statistics",
  fundamental: "fundamentals",
  news: "news",
  option: "option_snapshots",
  signal: "signals"
}

export interface SeriesShare extends SeriesStats {
  /** Its part of the table of its kind, by the number of its rows: they are about equally large. */
  readonly approximateBytes: number
}

export const sharesOf = (
  series: ReadonlyArray<SeriesStats>,
  tables: ReadonlyArray<TableSize>
): ReadonlyArray<SeriesShare> => {
  const sizes = new Map(tables.map(({ bytes, table }) => [table, bytes]))
  const totals = new Map<string, number>()
  for (const { kind, storedRows } of series) totals.set(kind, (totals.get(kind) ?? 0) + storedRows)
  return series.map((one) => {
    const total = totals.get(one.kind) ?? 0
    const size = sizes.get(tableOf[one.kind] ?? "") ?? 0
    return { ...one, approximateBytes: total === 0 ? 0 : Math.round((size * one.storedRows) / total) }
  })
}

export const statsLines = (
  stats: {
    readonly where: string
    readonly bytes: number
    readonly tables: ReadonlyArray<TableSize>
    readonly series: ReadonlyArray<SeriesShare>
  },
  style: Style
): ReadonlyArray<string> => [
  `${oneLine(stats.where)}: ${bytes(stats.bytes)}`,
  "",
  ...table(
    [left("table"), right("size")],
    stats.tables.toSorted((a, b) => b.bytes - a.bytes).map((one) => [one.table, bytes(one.bytes)]),
    style
  ),
  ...(stats.series.length === 0
    ? []
    : [
        "",
        ...table(
          [
            left("series"),
            right("rows"),
            right("stored"),
            right("revisions"),
            right("answers"),
            right("coverage"),
            right("about")
          ],
          stats.series.map((one) => [
            one.series,
            grouped(one.rows),
            grouped(one.storedRows),
            grouped(one.revisions),
            grouped(one.responses),
            grouped(one.intervals),
            bytes(one.approximateBytes)
          ]),
          style
        )
      ])
]
