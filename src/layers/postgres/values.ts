/**
 * Values on their way to and from PostgreSQL, in its binary formats. The one place that knows how a column looks on the wire.
 *
 * `int8` columns hold whole numbers that JavaScript has exactly (ids, instants in milliseconds, positions in a payload); they are
 * numbers here, and a value beyond 2^53 is refused, never rounded. `timestamptz` columns hold whole milliseconds and are epoch
 * milliseconds here (see instants.ts).
 */
import { PgTypes } from "@effect/sql-pg"
import { Result } from "effect"
import { arrayCodecs } from "./arrays.ts"
import { exactInstant, instantMicros, postgresEpoch } from "./instants.ts"

export { blobs, float8s, instants, int2s, int4s, int8s, texts } from "./arrays.ts"
export { firstInstant } from "./instants.ts"

export type SqlParameter = PgTypes.Parameter

const high32 = 2 ** 32

type Sink = Parameters<NonNullable<PgTypes.Codec<number>["write"]>>[0]

const refused = (message: string) => Result.fail(new PgTypes.CodecError({ message }))

const writeWhole = (sink: Sink, value: number): void => {
  sink.int32(Math.floor(value / high32) | 0)
  sink.int32(value | 0)
}

const readInt32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)

const readWhole = (bytes: Uint8Array, at: number): number =>
  readInt32(bytes, at) * high32 + (readInt32(bytes, at + 4) >>> 0)

const bigEndian = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, value)
  return bytes
}

const whole: PgTypes.Codec<number> = {
  encode: (value) =>
    Number.isSafeInteger(value) ? Result.succeed(bigEndian(BigInt(value))) : refused(`${value} is no whole number`),
  write: (sink, value) => {
    if (!Number.isSafeInteger(value)) return refused(`${value} is no whole number`)
    writeWhole(sink, value)
    return Result.void
  },
  decode: (bytes) => readExact(bytes, 0),
  read: (bytes, offset) => readExact(bytes, offset)
}

const readExact = (bytes: Uint8Array, offset: number): Result.Result<number, PgTypes.CodecError> => {
  const value = readWhole(bytes, offset)
  return Number.isSafeInteger(value) ? Result.succeed(value) : refused("a number beyond 2^53")
}

const instant: PgTypes.Codec<number> = {
  encode: (value) => Result.succeed(bigEndian(instantMicros(value))),
  write: (sink, value) => {
    const exact = exactInstant(value)
    if (exact === null) sink.bigInt64(instantMicros(value))
    else writeWhole(sink, exact)
    return Result.void
  },
  decode: (bytes) => readInstant(bytes, 0),
  read: (bytes, offset) => readInstant(bytes, offset)
}

const readInstant = (bytes: Uint8Array, offset: number): Result.Result<number, PgTypes.CodecError> => {
  const since = readWhole(bytes, offset)
  if (Number.isSafeInteger(since)) return Result.succeed(Math.floor(since / 1000) + postgresEpoch)
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 8)
  return Result.succeed(Number(view.getBigInt64(0) / 1000n) + postgresEpoch)
}

/** The client's codecs. */
export const types = (): PgTypes.Registry => {
  const registry = PgTypes.makeRegistry()
  registry.register(PgTypes.OID.int8, whole)
  registry.register(PgTypes.OID.timestamptz, instant)
  for (const [oid, codec] of arrayCodecs) registry.register(oid, codec)
  return registry
}

/** A parameter of the driver, whose type for it names what its own codec would take. */
const parameter = (of: (value: never) => SqlParameter) => of as (value: number | null) => SqlParameter

export const int8 = parameter(PgTypes.int8)
export const instantOf = parameter(PgTypes.timestamptz)
export const { int4, text, uuid } = PgTypes

/** Stands for the tenant that a statement works for; the database puts it in. */
export const ownTenant: SqlParameter = uuid("00000000-0000-0000-0000-000000000000")
