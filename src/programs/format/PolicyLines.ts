/** Hypertables and what TimescaleDB does to them by itself, for people. */
import type { Policy, PolicyReport } from "../../services/StorePolicies.ts"
import type { Style } from "../terminal/Style.ts"
import { bytes, duration, grouped } from "./Numbers.ts"
import { type Column, render } from "./Table.ts"

const left = (header: string): Column => ({ header, align: "left" })
const right = (header: string): Column => ({ header, align: "right" })

const table = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<ReadonlyArray<string>>, style: Style) => {
  const [header = "", ...lines] = render(columns, rows)
  return [style.bold(header), ...lines]
}

const stamp = (at: number | null): string => (at === null ? "-" : `${new Date(at).toISOString().slice(0, 19)}Z`)

const lastRun = ({ lastRun: run }: Policy): string =>
  run === null ? "never" : `${stamp(run.at)}${run.outcome === "succeeded" ? "" : `, ${run.outcome}`}`

export const policyLines = (
  { aggregates, hypertables, policies, timescale }: PolicyReport,
  style: Style
): ReadonlyArray<string> => [
  hypertables.length === 0
    ? `TimescaleDB ${timescale} is there, and no table is a hypertable yet: tapestry store policies apply`
    : `TimescaleDB ${timescale}`,
  ...(hypertables.length === 0
    ? []
    : [
        "",
        ...table(
          [left("hypertable"), right("chunk"), right("chunks"), right("compressed"), right("was"), right("is")],
          hypertables.map((one) => [
            one.table,
            duration(one.chunkMillis),
            grouped(one.chunks),
            grouped(one.compressedChunks),
            one.before === null ? "-" : bytes(one.before),
            one.after === null ? "-" : bytes(one.after)
          ]),
          style
        )
      ]),
  ...(aggregates.length === 0
    ? []
    : [
        "",
        ...table(
          [left("aggregate"), left("made up to")],
          aggregates.map((one) => [one.timeframe, stamp(one.upTo)]),
          style
        )
      ]),
  ...(policies.length === 0
    ? []
    : [
        "",
        ...table(
          [left("policy"), left("of"), right("after"), right("every"), left("last run"), left("next run")],
          policies.map((one) => [
            one.action,
            one.of,
            one.afterMillis === null ? "-" : duration(one.afterMillis),
            duration(one.everyMillis),
            lastRun(one),
            stamp(one.nextRun)
          ]),
          style
        )
      ])
]
