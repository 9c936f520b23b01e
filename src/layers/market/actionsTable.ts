/** The tables `action_answers` and `actions`, as synchronous steps. */
import type { CorporateAction } from "../../domain/CorporateAction.ts"
import type { DecodedActions } from "../../services/Adapter.ts"
import type { SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import type { CommitTarget } from "./CommitTarget.ts"
import { num } from "./rows.ts"

export const kinds: ReadonlyArray<CorporateAction["kind"]> = ["split", "dividend", "capital-gain"]

const insertAnswer = "insert into action_answers (applied, generation, start_ts, end_ts) values (?, ?, ?, ?)"
const insertAction = `insert into actions
  (applied, ts, kind, ordinal, position, numerator, denominator, amount, currency) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** An answer that adds nothing and is complete about nothing leaves no trace. */
export const insertActions = (
  db: SyncDatabase,
  { applied, generation }: CommitTarget,
  { complete, positions, rows }: DecodedActions
): void => {
  if (rows.length === 0 && complete === null) return
  db.prepare(insertAnswer).run(applied, generation, complete?.start ?? null, complete?.end ?? null)
  const ordinals = new Map<string, number>()
  rows.forEach((action, index) => {
    const kind = kinds.indexOf(action.kind)
    const ordinal = ordinals.get(`${action.ts} ${kind}`) ?? 0
    ordinals.set(`${action.ts} ${kind}`, ordinal + 1)
    const values: ReadonlyArray<number | string | null> =
      action.kind === "split"
        ? [action.numerator, action.denominator, null, null]
        : [null, null, action.amount, action.currency]
    db.prepare(insertAction).run(applied, action.ts, kind, ordinal, positions[index] ?? -1, ...values)
  })
}

export const actionColumns = "ts, kind, position, numerator, denominator, amount, currency"

/** A row that begins with {@link actionColumns}. */
export const toAction = (
  row: ReadonlyArray<SqlValue>
): { readonly action: CorporateAction; readonly position: number } => {
  const ts = num(row[0])
  const kind = kinds[num(row[1])] ?? "dividend"
  const currency = typeof row[6] === "string" ? row[6] : null
  const action: CorporateAction =
    kind === "split"
      ? { ts, kind, numerator: num(row[3]), denominator: num(row[4]) }
      : { ts, kind, amount: num(row[5]), currency }
  return { action, position: num(row[2]) }
}
