import { createHash } from "node:crypto"
import { blockSums } from "./blockSums.ts"
import type { ExportFile } from "./Manifest.ts"
import type { RowKind } from "./RowKind.ts"

const instantOf = (ts: number | null): string | null => (ts === null ? null : new Date(ts).toISOString())

/** What a manifest says of a file, counted while its blocks are written. */
export interface FileTally<Row> {
  readonly add: (block: Uint8Array, rows: ReadonlyArray<Row>) => void
  readonly file: (name: string) => ExportFile
}

export const make = <Row>({ hashBytes, hashHeader, millis }: RowKind<Row>): FileTally<Row> => {
  const bytesHash = createHash("sha256")
  const rowsHash = createHash("sha256").update(hashHeader)
  const blocks: Array<string> = []
  let bytes = 0
  let count = 0
  let first: number | null = null
  let last: number | null = null
  return {
    add: (block, rows) => {
      if (block.length === 0) return
      const { crc, moment, sum } = blockSums(block)
      blocks.push(`${rows.length} ${block.length} ${crc.toString(16).padStart(8, "0")} ${sum} ${moment}`)
      bytesHash.update(block)
      rowsHash.update(hashBytes(rows))
      bytes += block.length
      count += rows.length
      const [start] = rows
      const end = rows.at(-1)
      if (start !== undefined) first ??= millis(start)
      if (end !== undefined) last = millis(end)
    },
    file: (name) => ({
      name,
      bytes,
      sha256: bytesHash.digest("hex"),
      rows: count,
      first: instantOf(first),
      last: instantOf(last),
      rowHash: rowsHash.digest("hex"),
      blocks
    })
  }
}
