/**
 * Sums over a block of bytes that say which single byte of it was changed.
 *
 * `sum` is Σ b(i), `moment` Σ (i + 1) · b(i). One byte changed by d moves `sum` by d and `moment` by (i + 1) · d, so their
 * quotient is its place. The CRC-32 of the block with that byte put back proves it: a block with more than one change names no
 * byte rather than a wrong one. They find; the sha256 of the file is what decides whether it is whole.
 */
import { crc32 } from "node:zlib"

export interface BlockSums {
  readonly crc: number
  readonly sum: number
  readonly moment: number
}

/** Blocks of up to 8 MiB: the moment then stays a whole number that a double holds exactly. */
export const maxBlockBytes = 8 * 1024 * 1024

export const blockSums = (bytes: Uint8Array): BlockSums => {
  let sum = 0
  let moment = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    sum += byte
    moment += (at + 1) * byte
  }
  return { crc: crc32(bytes), sum, moment }
}

export interface ChangedByte {
  readonly offset: number
  readonly was: number
}

/** The one byte of a block that differs from what was summed; null when it is not exactly one. */
export const changedByte = (bytes: Uint8Array, expected: BlockSums): ChangedByte | null => {
  const found = blockSums(bytes)
  const difference = found.sum - expected.sum
  if (difference === 0) return null
  const offset = (found.moment - expected.moment) / difference - 1
  if (!Number.isInteger(offset) || offset < 0 || offset >= bytes.length) return null
  const was = (bytes[offset] ?? 0) - difference
  if (was < 0 || was > 255) return null
  const mended = Uint8Array.from(bytes)
  mended[offset] = was
  return crc32(mended) === expected.crc ? { offset, was } : null
}
