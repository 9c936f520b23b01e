import { createHash } from "node:crypto"
import type { Bar } from "../../domain/Bar.ts"
import { rowBytes, rowsHeader } from "../../domain/rowBytes.ts"
import { blockSums } from "./blockSums.ts"
import type { ExportFile } from "./Manifest.ts"

const instantOf = (ts: number | null): string | null => (ts === null ? null : new Date(ts).toISOString())

/** What a manifest says of a file, counted while its blocks are written. */
export interface FileTally {
  readonly add: (block: Uint8Array, bars: ReadonlyArray<Bar>) => void
  readonly file: (name: string) => ExportFile
}

export const make = (): FileTally => {
  const bytesHash = createHash("sha256")
  const rowsHash = createHash("sha256").update(rowsHeader)
  const blocks: Array<string> = []
  let bytes = 0
  let rows = 0
  let first: number | null = null
  let last: number | null = null
  return {
    add: (block, bars) => {
      if (block.length === 0) return
      const { crc, moment, sum } = blockSums(block)
      blocks.push(`${bars.length} ${block.length} ${crc.toString(16).padStart(8, "0")} ${sum} ${moment}`)
      bytesHash.update(block)
      rowsHash.update(rowBytes(bars))
      bytes += block.length
      rows += bars.length
      first ??= bars[0]?.ts ?? null
      last = bars.at(-1)?.ts ?? last
    },
    file: (name) => ({
      name,
      bytes,
      sha256: bytesHash.digest("hex"),
      rows,
      first: instantOf(first),
      last: instantOf(last),
      rowHash: rowsHash.digest("hex"),
      blocks
    })
  }
}
