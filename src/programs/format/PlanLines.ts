/** A plan as a table: where each part comes from, and what the whole would take. */
import type { Plan, PlanPiece } from "../../domain/Plan.ts"
import { titleOf } from "../flags/SeriesFlags.ts"
import { counted, decimal, duration, grouped } from "./Numbers.ts"
import { labelOf } from "./Strip.ts"
import { type Column, render } from "./Table.ts"
import { brief } from "./ZonedTime.ts"

const columns: ReadonlyArray<Column> = [
  { header: "from (UTC)", align: "left" },
  { header: "to (exclusive)", align: "left" },
  { header: "comes from", align: "left" },
  { header: "status", align: "left" },
  { header: "requests", align: "right" },
  { header: "waits", align: "right" },
  { header: "cost", align: "decimal" }
]

/** A line of the table; with closed time in it, it stands for several pieces. */
interface Line extends PlanPiece {
  readonly closed: boolean
}

/** Pieces of one kind with closed time between them are one line. */
const linesOf = (plan: Plan): ReadonlyArray<Line> => {
  const all: Array<Line> = []
  for (const piece of plan.pieces) {
    const before = all.at(-2)
    const like = before?.from === piece.from && before.state._tag === piece.state._tag
    if (before === undefined || !like || all.at(-1)?.state._tag !== "Closed" || piece.state._tag === "Closed") {
      all.push({ ...piece, closed: false })
      continue
    }
    all.splice(-2, 2, { ...before, end: piece.end, closed: true })
  }
  return all
}

const statusOf = (plan: Plan, piece: Line): string => {
  const rechecked = piece.from === "vendor" && piece.state._tag === "Covered" && plan.policy !== "force"
  const label = `${labelOf(piece.state._tag)}${rechecked ? ", rechecked" : ""}`
  return piece.closed ? `${label}, closed between` : label
}

/** The wait and the cost of the requests that begin in a piece. */
const spent = (plan: Plan, piece: PlanPiece) => {
  const own = plan.requests.filter(({ range }) => range.start < piece.end && range.end > piece.start)
  return {
    requests: own.length,
    waits: own.reduce((longest, request) => Math.max(longest, request.waits), 0),
    cost: own.filter(({ range }) => range.end <= piece.end).reduce((sum, request) => sum + request.cost, 0)
  }
}

const cells = (plan: Plan, piece: Line): ReadonlyArray<string> => {
  const { cost, requests, waits } = spent(plan, piece)
  const fetched = piece.from === "vendor"
  return [
    brief(piece.start),
    brief(piece.end),
    fetched ? plan.series.vendor : "store",
    statusOf(plan, piece),
    fetched ? grouped(piece.closed ? requests : piece.requests) : "-",
    fetched ? duration(waits) : "-",
    fetched ? (cost === 0 ? "free" : decimal(cost)) : "-"
  ]
}

export const planTable = (plan: Plan): ReadonlyArray<string> =>
  render(
    columns,
    linesOf(plan).map((piece) => cells(plan, piece))
  )

/** `SPX 1d: 1 request to sample, starts at once, free` */
export const planSummary = (plan: Plan): string => {
  const title = titleOf(plan.series)
  if (plan.requests.length === 0) return `${title}: no request needed`
  const paged = plan.atLeast === true
  const names = new Set(plan.requests.flatMap(({ symbol }) => (symbol === undefined ? [] : [symbol])))
  return [
    `${title}: ${paged ? "at least " : ""}${counted(plan.requests.length, "request")} to ${plan.series.vendor}`,
    plan.waits === 0 ? "no wait" : `the last one starts after ${duration(plan.waits)}`,
    ...(paged ? ["each goes on for as many pages as there are"] : []),
    plan.cost === 0 ? "free" : `cost ${decimal(plan.cost)}`,
    ...Array.from(names, (name) => {
      const own = plan.requests.filter(({ symbol }) => symbol === name)
      return `${own.length} of them as ${name}, its symbol until ${brief(own.at(-1)?.range.end ?? 0)}`
    })
  ].join(", ")
}
