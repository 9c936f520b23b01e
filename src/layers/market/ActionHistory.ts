/** What holds of the corporate actions of a symbol, by everything that answers have said of them; see readActions.ts. */
import { Effect } from "effect"
import { type CorporateAction, type StoredAction, same } from "../../domain/CorporateAction.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { toAction } from "./actionsTable.ts"
import { num, numOrNull, responseId, type SqlRow } from "./rows.ts"

/** Answers that are looked at between two turns of the event loop. */
const turnAfter = 1_024

interface Told {
  readonly action: CorporateAction
  readonly position: number
}

export interface ActionAnswer {
  readonly complete: TimeRange | null
  readonly lineage: Omit<StoredAction["lineage"], "position">
  readonly told: ReadonlyMap<number, Array<Told>>
}

const nothingTold: ActionAnswer["told"] = new Map()

/** In the order of knowledge. */
const inOrder = ({ lineage: a }: ActionAnswer, { lineage: b }: ActionAnswer): number =>
  a.recordedAt - b.recordedAt || a.response - b.response || a.decoderVersion - b.decoderVersion

const equal = (a: ReadonlyArray<Told>, b: ReadonlyArray<Told>): boolean =>
  a.length === b.length &&
  a.every(({ action }, index) => {
    const other = b[index]
    return other !== undefined && same(action, other.action)
  })

const nothing: ReadonlyArray<Told> = []

/** What holds at an ex-date by the answers that speak of it, with the one that has said so for as long as it was not contradicted. */
const heldAt = (answers: ReadonlyArray<ActionAnswer>, ts: number): ReadonlyArray<StoredAction> => {
  let held: ReadonlyArray<Told> = nothing
  let since: ActionAnswer | undefined
  for (const answer of answers) {
    const told = answer.told.get(ts) ?? nothing
    if (since !== undefined && equal(told, held)) continue
    held = told
    since = answer
  }
  const lineage = since?.lineage
  return lineage === undefined
    ? []
    : held.map(({ action, position }) => ({ action, lineage: { ...lineage, position } }))
}

/**
 * The answers of a page that were there by `asOf`. Of `rows` each is an answer (applied, start, end, response, decoder version, fetched
 * at), of `actions` an action that one of them told, as `toAction` takes it, and which.
 */
export const answersOf = (
  rows: ReadonlyArray<SqlRow>,
  actions: ReadonlyArray<SqlRow>,
  asOf: number
): ReadonlyArray<ActionAnswer> => {
  const told = new Map<number, Map<number, Array<Told>>>()
  for (const row of actions) {
    const one = toAction(row)
    const { ts } = one.action
    const applied = num(row[7])
    const by = told.get(applied) ?? new Map<number, Array<Told>>()
    told.set(applied, by)
    const before = by.get(ts)
    if (before === undefined) by.set(ts, [one])
    else before.push(one)
  }
  const answers: Array<ActionAnswer> = []
  for (const row of rows) {
    const recordedAt = num(row[5])
    if (recordedAt > asOf) continue
    const start = numOrNull(row[1])
    const end = numOrNull(row[2])
    answers.push({
      complete: start === null || end === null ? null : { start, end },
      lineage: { response: responseId(row[3]), decoderVersion: num(row[4]), recordedAt },
      told: told.get(num(row[0])) ?? nothingTold
    })
  }
  return answers
}

/** The first index whose date is not before an instant. */
const firstAt = (dates: ReadonlyArray<number>, instant: number): number => {
  let low = 0
  let high = dates.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((dates[middle] ?? Infinity) < instant) low = middle + 1
    else high = middle
  }
  return low
}

/** The dates of which an answer speaks. */
const datesOf = ({ complete, told }: ActionAnswer, dates: ReadonlyArray<number>): Iterable<number> =>
  complete === null ? told.keys() : dates.slice(firstAt(dates, complete.start), firstAt(dates, complete.end))

/** What they make together, by ex-date. */
export const heldActions = Effect.fnUntraced(function* (found: ReadonlyArray<ActionAnswer>) {
  const answers = found.toSorted(inOrder)
  const dates = [...new Set(answers.flatMap(({ told }) => [...told.keys()]))].sort((a, b) => a - b)
  const speaking = new Map<number, Array<ActionAnswer>>(dates.map((date) => [date, []]))
  for (const [index, answer] of answers.entries()) {
    if (index % turnAfter === turnAfter - 1) yield* Effect.yieldNow
    for (const date of datesOf(answer, dates)) speaking.get(date)?.push(answer)
  }
  const held: Array<StoredAction> = []
  for (const [date, said] of speaking) {
    for (const action of heldAt(said, date)) held.push(action)
  }
  return held
})
