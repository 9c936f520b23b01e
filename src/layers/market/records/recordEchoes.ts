/**
 * Assertions that changed nothing: which rows an answer repeated, by chunks of its commit. Nobody reads them but an older answer that is
 * committed later, and has to know who confirmed what stood there.
 */
import type { SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { num } from "../rows.ts"
import { keyText, type RowKey } from "./recordTables.ts"

const insert = `insert into record_echoes (generation, applied, part, first_ts, last_ts, data)
  values (?, ?, (select count(*) from record_echoes where generation = ? and applied = ?), ?, ?, ?)`
const select = "select applied, data from record_echoes where generation = ? and first_ts <= ? and last_ts >= ?"

/** A row and its position in the payload that repeated it. */
export interface EchoedRow extends RowKey {
  readonly position: number
}

/** `rows` ascend. */
export const putRecordEchoes = (
  db: SyncDatabase,
  generation: number,
  applied: number,
  rows: ReadonlyArray<EchoedRow>
): void => {
  const first = rows[0]
  const last = rows[rows.length - 1]
  if (first === undefined || last === undefined) return
  const data = JSON.stringify(rows.map((row) => [keyText(row), row.position]))
  db.prepare(insert).run(generation, applied, generation, applied, first.ts, last.ts, data)
}

/** Who repeated a row, and at which position of its payload. */
export interface Echo {
  readonly applied: number
  readonly position: number
}

/** By the text of the row's key: the echoes of the stretch `[start, end)`. */
export const recordEchoes = (
  db: SyncDatabase,
  generation: number,
  start: number,
  end: number
): ReadonlyMap<string, ReadonlyArray<Echo>> => {
  const found = new Map<string, Array<Echo>>()
  for (const [applied, data] of db.prepare(select).all(generation, end - 1, start)) {
    const keys: ReadonlyArray<readonly [string, number]> = JSON.parse(String(data))
    for (const [key, position] of keys) {
      const echo = { applied: num(applied), position }
      const known = found.get(key)
      if (known === undefined) found.set(key, [echo])
      else known.push(echo)
    }
  }
  return found
}
