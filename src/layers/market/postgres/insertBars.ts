import type { Bar } from "../../../domain/Bar.ts"
import { arrayInsert, counted, each, eachIfAny, same } from "../../postgres/arrayInsert.ts"
import type { Query } from "../../postgres/PostgresDatabase.ts"
import { float8s, instants, int2s, int8 } from "../../postgres/values.ts"
import { tenant } from "./seriesRows.ts"

interface FreshBars {
  readonly bars: ReadonlyArray<Bar>
  /** 1 or 0. */
  readonly finals: ReadonlyArray<number>
  readonly positions: ReadonlyArray<number>
}

const valueNames = ["open", "high", "low", "close", "volume", "vwap", "count"] as const

const finalColumn = (finals: ReadonlyArray<number>) =>
  finals.every((final) => final === finals[0])
    ? { ...same("final", int2s(finals.slice(0, 1))), rows: (one?: string) => `(${one}::int2[])[1]` }
    : each("final", "int2", int2s(finals))

/** Bars where there are none. The parameters are made at once, the statement runs when it is asked to. */
export const insertBars = (generation: number, applied: number, { bars, finals, positions }: FreshBars) => {
  const { parameters, statement } = arrayInsert("tapestry_app.bars", [
    same("tenant", tenant),
    same("generation", int8(generation)),
    same("applied", int8(applied)),
    each("ts", "timestamptz", instants(bars.map(({ ts }) => ts))),
    ...valueNames.flatMap((name) =>
      eachIfAny(
        name,
        "float8",
        bars.map((bar) => bar[name]),
        float8s
      )
    ),
    finalColumn(finals),
    counted("position", positions)
  ])
  return (query: Query) => query(statement, parameters)
}
