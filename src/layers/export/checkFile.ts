/** One file of an export against its manifest: bytes, blocks, rows, their order, and what the rows say of coverage and receipts. */
import { createHash } from "node:crypto"
import { Effect, FileSystem, Path, Result } from "effect"
import type { ArchiveCheck } from "./ArchiveCheck.ts"
import { type BlockSpec, blockSpec, readBlock } from "./BlockReader.ts"
import { blockSums, maxBlockBytes } from "./blockSums.ts"
import { damageOf } from "./damageOf.ts"
import type { ProblemList } from "./ExportReport.ts"
import type { ExportedSeries, Manifest } from "./Manifest.ts"
import type { FileRow } from "./RowCodec.ts"
import type { RowKind } from "./RowKind.ts"
import * as RunCheck from "./RunCheck.ts"

export interface FileCheckOptions {
  readonly directory: string
  readonly manifest: Manifest
  readonly entry: ExportedSeries
  readonly against: ArchiveCheck | null
  readonly problems: ProblemList
  readonly note: (message: string) => void
  /** Told after each block: rows of this file so far. */
  readonly progress: (rows: number) => Effect.Effect<void>
}

const isWhole = (block: Uint8Array, spec: BlockSpec): boolean => {
  const sums = blockSums(block)
  return block.length === spec.bytes && sums.crc === spec.crc && sums.sum === spec.sum && sums.moment === spec.moment
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** How many bytes and rows were read, and how many of the rows were compared with the archive. */
export const checkFile = Effect.fnUntraced(function* <Row>(kind: RowKind<Row>, options: FileCheckOptions) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { entry, manifest, problems } = options
  const { file } = entry
  const codec = yield* kind.codec(manifest.rows, manifest.lineage)
  const runs = RunCheck.make(kind, entry, options.against, options.note, (message) => problems.add(file.name, message))
  const handle = yield* fs.open(path.join(options.directory, file.name), { flag: "r" })
  const hash = createHash("sha256")
  const rowsHash = createHash("sha256").update(kind.hashHeader)
  const start = Date.parse(entry.range.start)
  const end = Date.parse(entry.range.end)
  const empty = entry.coverage
    .filter(({ status }) => status === "Empty")
    .map((interval) => ({ start: Date.parse(interval.start), end: Date.parse(interval.end) }))
  let bytes = 0
  let rows = 0
  let read = 0
  let last: Row | null = null
  let gap = 0

  /** What is wrong with a row for itself, and in its place. */
  const faultOf = ({ row }: FileRow<Row>): string | null => {
    const ts = kind.millis(row)
    if (last !== null && !kind.follows(row, last)) return "it is not after the row before it"
    last = row
    if (ts < start || ts >= end) return "it lies outside the range"
    while ((empty[gap]?.end ?? Number.POSITIVE_INFINITY) <= ts) gap++
    const interval = empty[gap]
    return interval !== undefined && interval.start <= ts ? "it lies in a part that the coverage calls empty" : null
  }

  const checkRows = Effect.fnUntraced(function* (found: ReadonlyArray<FileRow<Row>>, from: number) {
    for (const [index, row] of found.entries()) {
      const loading = runs.load(row, from + index)
      if (loading !== null) yield* loading
      const fault = faultOf(row) ?? runs.check(row, from + index)
      if (fault !== null) {
        problems.add(file.name, `${codec.rowName(from + index)}: ${fault}`, { row: from + index + 1 })
      }
    }
  })

  for (const [index, text] of file.blocks.entries()) {
    const spec = blockSpec(text)
    const block = yield* readBlock(handle, Math.min(spec.bytes, maxBlockBytes))
    hash.update(block)
    const whole = isWhole(block, spec)
    if (block.length < spec.bytes) {
      problems.add(file.name, `it ends after ${bytes + block.length} bytes of ${file.bytes}`, { row: rows + 1 })
    } else if (!whole) {
      const damage = damageOf(codec, block, spec, { row: rows, byte: bytes })
      problems.add(file.name, damage.message, {
        row: damage.row === null ? null : rows + damage.row + 1,
        byte: damage.byte === null ? null : bytes + damage.byte
      })
    }
    if (spec.rows === 0) {
      if (whole && index === 0 && !isSame(block, codec.head))
        problems.add(file.name, "it does not begin as its format does")
    } else {
      const decoded = codec.decode(block)
      if (Result.isSuccess(decoded)) {
        read += decoded.success.length
        rowsHash.update(kind.hashBytes(decoded.success.map(({ row }) => row)))
        yield* checkRows(decoded.success, rows)
        if (decoded.success.length !== spec.rows) {
          problems.add(file.name, `${codec.rowName(rows)} and on: ${decoded.success.length} rows, and not ${spec.rows}`)
        }
      } else if (whole) {
        const { row, what } = decoded.failure
        problems.add(file.name, `${codec.rowName(rows + (row ?? 0))}: ${what}`, {
          row: row === null ? null : rows + row + 1
        })
      }
    }
    bytes += block.length
    rows += spec.rows
    yield* Effect.andThen(options.progress(rows), Effect.yieldNow)
    if (block.length < spec.bytes) break
  }
  const rest = yield* readBlock(handle, 1)
  if (rest.length > 0) problems.add(file.name, `it goes on after its ${file.bytes} bytes`)
  if (problems.has(file.name)) return { bytes, rows: read, compared: runs.compared() }

  if (hash.digest("hex") !== file.sha256) problems.add(file.name, "its sha256 is not the one in the manifest")
  if (rowsHash.digest("hex") !== file.rowHash)
    problems.add(file.name, "its rows do not have the row hash in the manifest")
  if (read !== file.rows) problems.add(file.name, `it has ${read} rows, and the manifest says ${file.rows}`)
  return { bytes, rows: read, compared: runs.compared() }
}, Effect.scoped)
