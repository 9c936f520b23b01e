/**
 * Arrays as parameters. They are written in PostgreSQL's binary format when they are made, not when their statement is sent: whoever
 * makes them while the server works has nothing left to do when it is the statement's turn. A value that the format does not hold
 * fails the statement.
 *
 * Typed, because PostgreSQL cannot tell the type of an array from its elements when some are whole numbers and some are not.
 */
import { PgTypes } from "@effect/sql-pg"
import { Result } from "effect"
import { exactInstant, instantMicros } from "./instants.ts"

/** What the parameter of an array holds: its bytes, or why there are none. */
type Written = Result.Result<Uint8Array, PgTypes.CodecError>

/** Dimensions, whether there are nulls, type of the elements, how many, index of the first. */
const headerBytes = 20
const high32 = 2 ** 32

const writeWhole = (view: DataView, at: number, value: number): void => {
  view.setInt32(at, Math.floor(value / high32))
  view.setInt32(at + 4, value | 0)
}

/** `write` puts an element at an offset; false where there is no such element. */
const written = (
  oid: number,
  size: number,
  values: ReadonlyArray<unknown>,
  write: (view: DataView, at: number, value: number) => boolean
): Written => {
  const { length } = values
  const buffer = Buffer.allocUnsafe(headerBytes + length * (size + 4))
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  let nulls = false
  let at = length === 0 ? headerBytes - 8 : headerBytes
  for (let index = 0; index < length; index++) {
    const value = values[index]
    if (value === null || value === undefined) {
      view.setInt32(at, -1)
      at += 4
      nulls = true
    } else {
      view.setInt32(at, size)
      if (typeof value !== "number" || !write(view, at + 4, value)) {
        return Result.fail(new PgTypes.CodecError({ message: `${value} is no number for a column of ${size} bytes` }))
      }
      at += 4 + size
    }
  }
  view.setInt32(0, length === 0 ? 0 : 1)
  view.setInt32(4, nulls ? 1 : 0)
  view.setInt32(8, oid)
  if (length > 0) {
    view.setInt32(12, length)
    view.setInt32(16, 1)
  }
  return Result.succeed(buffer.subarray(0, at))
}

const asIs: PgTypes.Codec<Written> = {
  encode: (value) => value,
  write: (sink, value) => {
    if (Result.isFailure(value)) return Result.fail(value.failure)
    sink.raw(value.success)
    return Result.void
  },
  decode: () => Result.fail(new PgTypes.CodecError({ message: "arrays are written, and not read" }))
}

const parameterOf = (oid: number) => Result.getOrThrow(PgTypes.array([], oid))

const arrayOf =
  (oid: number, size: number, write: (view: DataView, at: number, value: number) => boolean) =>
  (values: ReadonlyArray<unknown>): PgTypes.Parameter => ({
    ...parameterOf(oid),
    value: written(oid, size, values, write)
  })

const isWhole = (value: number, bits: number): boolean =>
  Number.isInteger(value) && value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1)

export const int2s = arrayOf(PgTypes.OID.int2, 2, (view, at, value) => {
  view.setInt16(at, value)
  return isWhole(value, 16)
})

export const int4s = arrayOf(PgTypes.OID.int4, 4, (view, at, value) => {
  view.setInt32(at, value)
  return isWhole(value, 32)
})

export const int8s = arrayOf(PgTypes.OID.int8, 8, (view, at, value) => {
  writeWhole(view, at, value)
  return Number.isSafeInteger(value)
})

export const float8s = arrayOf(PgTypes.OID.float8, 8, (view, at, value) => {
  view.setFloat64(at, value)
  return true
})

/** Epoch milliseconds, of timestamptz. */
export const instants = arrayOf(PgTypes.OID.timestamptz, 8, (view, at, value) => {
  const exact = exactInstant(value)
  if (exact === null) view.setBigInt64(at, instantMicros(value))
  else writeWhole(view, at, exact)
  return true
})

/** Codecs of the arrays that are written here. */
export const arrayCodecs: ReadonlyArray<readonly [oid: number, codec: typeof asIs]> = [
  PgTypes.OID.int2,
  PgTypes.OID.int4,
  PgTypes.OID.int8,
  PgTypes.OID.float8,
  PgTypes.OID.timestamptz
].map((oid) => [parameterOf(oid).oid, asIs])

const byTheDriver =
  (oid: number) =>
  (values: ReadonlyArray<unknown> | null): PgTypes.Parameter =>
    Result.getOrThrow(PgTypes.array(values, oid))

export const texts = byTheDriver(PgTypes.OID.text)
export const blobs = byTheDriver(PgTypes.OID.bytea)
