import { Effect, type FileSystem, Option } from "effect"

/** Reads up to `size` bytes, fewer only at the end of the file: a read may give less than it was asked for. */
export const readBlock = Effect.fnUntraced(function* (file: FileSystem.File, size: number) {
  const parts: Array<Uint8Array> = []
  let length = 0
  while (length < size) {
    const part = yield* file.readAlloc(size - length)
    if (Option.isNone(part)) break
    parts.push(part.value)
    length += part.value.length
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
})

export interface BlockSpec {
  readonly rows: number
  readonly bytes: number
  readonly crc: number
  readonly sum: number
  readonly moment: number
}

/** A line of `blocks` in a manifest. */
export const blockSpec = (text: string): BlockSpec => {
  const [rows, bytes, crc = "0", sum, moment] = text.split(" ")
  return {
    rows: Number(rows),
    bytes: Number(bytes),
    crc: Number.parseInt(crc, 16),
    sum: Number(sum),
    moment: Number(moment)
  }
}
