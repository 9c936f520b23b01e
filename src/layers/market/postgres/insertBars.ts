/**
 * Bars where there are none: an insert by arrays, without a look for conflicts. A column is an array only where its rows differ in a
 * way that cannot be said shorter, since half of what a commit costs is bytes on their way to the server: values that no bar has are
 * left out, positions that follow each other are counted, and what all rows agree on is said once.
 */
import type { Bar } from "../../../domain/Bar.ts"
import type { Query } from "../../postgres/PostgresDatabase.ts"
import { float8s, instants, int2s, int8, int8s, type SqlParameter } from "../../postgres/values.ts"
import { tenant } from "./seriesRows.ts"

interface FreshBars {
  readonly bars: ReadonlyArray<Bar>
  /** 1 or 0. */
  readonly finals: ReadonlyArray<number>
  readonly positions: ReadonlyArray<number>
}

interface Column {
  readonly name: string
  readonly parameters: ReadonlyArray<SqlParameter>
  /** What gives a value for each row, from the names of the parameters. */
  readonly rows: (...names: ReadonlyArray<string>) => string
}

const each = (name: string, type: string, parameter: SqlParameter): Column => ({
  name,
  parameters: [parameter],
  rows: (all) => `unnest(${all}::${type}[])`
})

const valueColumn = (
  name: "open" | "high" | "low" | "close" | "volume" | "vwap" | "count",
  bars: ReadonlyArray<Bar>
) => {
  const values = bars.map((bar) => bar[name])
  return values.every((value) => value === null) ? [] : [each(name, "float8", float8s(values))]
}

const finalColumn = (finals: ReadonlyArray<number>): Column =>
  finals.every((final) => final === finals[0])
    ? { name: "final", parameters: [int2s(finals.slice(0, 1))], rows: (same) => `(${same}::int2[])[1]` }
    : each("final", "int2", int2s(finals))

const positionColumn = (positions: ReadonlyArray<number>): Column => {
  const first = positions[0] ?? 0
  return positions.every((position, index) => position === first + index)
    ? {
        name: "position",
        parameters: [int8(first), int8(first + positions.length - 1)],
        rows: (from, to) => `generate_series(${from}::int8, ${to}::int8)`
      }
    : each("position", "int8", int8s(positions))
}

/** The parameters are made at once, the statement runs when it is asked to. */
export const insertBars = (generation: number, applied: number, { bars, finals, positions }: FreshBars) => {
  const columns = [
    each("ts", "timestamptz", instants(bars.map(({ ts }) => ts))),
    ...(["open", "high", "low", "close", "volume", "vwap", "count"] as const).flatMap((name) =>
      valueColumn(name, bars)
    ),
    finalColumn(finals),
    positionColumn(positions)
  ]
  const parameters = [tenant, int8(generation), int8(applied)]
  const rows = columns.map((column) => {
    const names = column.parameters.map((parameter) => `$${parameters.push(parameter)}`)
    return column.rows(...names)
  })
  const statement = `insert into tapestry_app.bars (tenant, generation, applied, ${columns.map(({ name }) => name).join(", ")})
    select $1, $2, $3, ${rows.join(", ")}`
  return (query: Query) => query(statement, parameters)
}
