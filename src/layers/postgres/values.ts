/**
 * Values on their way to and from PostgreSQL, in its binary formats. The one place that knows how a column looks on the wire.
 *
 * `int8` columns hold whole numbers that JavaScript has exactly (ids, instants in milliseconds, positions in a payload); they are
 * numbers here, and a value beyond 2^53 is refused, never rounded. `timestamptz` columns hold whole milliseconds and are epoch
 * milliseconds here; a bound before 4714 BC is sent as `-infinity`, one after 294276 AD as `infinity`, so that a range over all
 * time is a range over all time.
 */
import { PgTypes } from "@effect/sql-pg"
import { Result } from "effect"

export type SqlParameter = PgTypes.Parameter

/** Epoch milliseconds of 2000-01-01T00:00Z, from which PostgreSQL counts. */
const epoch = 946_684_800_000
/** Milliseconds of the first instant that a timestamptz holds (4714-11-24 BC), and of the first that it no longer does. */
export const firstInstant = -210_866_803_200_000
const endOfTime = 9_224_318_016_000_000
const high32 = 2 ** 32
/** Below these, microseconds since 2000 are exact as a double. */
const exact = 9_007_199_254_740
const minusInfinity = -(2n ** 63n)
const infinity = 2n ** 63n - 1n

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

const microseconds = (millis: number): bigint =>
  millis < firstInstant ? minusInfinity : millis >= endOfTime ? infinity : BigInt(millis - epoch) * 1000n

const instant: PgTypes.Codec<number> = {
  encode: (value) => Result.succeed(bigEndian(microseconds(value))),
  write: (sink, value) => {
    const since = value - epoch
    if (since > -exact && since < exact) writeWhole(sink, since * 1000)
    else sink.bigInt64(microseconds(value))
    return Result.void
  },
  decode: (bytes) => readInstant(bytes, 0),
  read: (bytes, offset) => readInstant(bytes, offset)
}

const readInstant = (bytes: Uint8Array, offset: number): Result.Result<number, PgTypes.CodecError> => {
  const since = readWhole(bytes, offset)
  if (Number.isSafeInteger(since)) return Result.succeed(Math.floor(since / 1000) + epoch)
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 8)
  return Result.succeed(Number(view.getBigInt64(0) / 1000n) + epoch)
}

/** The client's codecs. */
export const types = (): PgTypes.Registry => {
  const registry = PgTypes.makeRegistry()
  registry.register(PgTypes.OID.int8, whole)
  registry.register(PgTypes.OID.timestamptz, instant)
  return registry
}

/** A parameter of the driver, whose type for it names what its own codec would take. */
const parameter = (of: (value: never) => SqlParameter) => of as (value: number | null) => SqlParameter

export const int8 = parameter(PgTypes.int8)
export const instantOf = parameter(PgTypes.timestamptz)
export const { int4, text, uuid } = PgTypes

const arrayOf =
  (oid: number) =>
  (values: ReadonlyArray<unknown> | null): SqlParameter =>
    Result.getOrThrow(PgTypes.array(values, oid))

/** Typed: PostgreSQL cannot tell the type of an array from its elements when some are whole numbers and some are not. */
export const int2s = arrayOf(PgTypes.OID.int2)
export const int4s = arrayOf(PgTypes.OID.int4)
export const int8s = arrayOf(PgTypes.OID.int8)
export const float8s = arrayOf(PgTypes.OID.float8)
export const instants = arrayOf(PgTypes.OID.timestamptz)
export const texts = arrayOf(PgTypes.OID.text)
export const blobs = arrayOf(PgTypes.OID.bytea)
