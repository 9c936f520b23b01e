/**
 * Assertions that changed nothing: which rows an answer repeated, some thousand in a text. Nobody reads them but an older answer that is
 * committed later, and has to know who confirmed what stood there.
 */
import { num, type SqlRow } from "../rows.ts"
import type { Echo, EchoedRow } from "./RecordRows.ts"
import { keyText } from "./recordCells.ts"

interface EchoBlock {
  /** Milliseconds of the first row and of the last. */
  readonly first: number
  readonly last: number
  readonly data: string
}

export const echoBlock = (rows: ReadonlyArray<EchoedRow>): EchoBlock => ({
  first: rows.reduce((least, { ts }) => Math.min(least, ts), Number.POSITIVE_INFINITY),
  last: rows.reduce((most, { ts }) => Math.max(most, ts), Number.NEGATIVE_INFINITY),
  data: JSON.stringify(rows.map((row) => [keyText(row), row.position]))
})

/** By the text of the row's key; each stored row begins with the id of the answer and a text. */
export const echoesIn = (stored: ReadonlyArray<SqlRow>): ReadonlyMap<string, ReadonlyArray<Echo>> => {
  const found = new Map<string, Array<Echo>>()
  for (const [applied, data] of stored) {
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
