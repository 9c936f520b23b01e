/**
 * Values of Arrow columns, one by one, each exactly or not at all. The library believes what a file says of itself; here lengths and
 * offsets are looked at before anything is read, so that damaged bytes are told and never become rows.
 */
import { isUtf8 } from "node:buffer"
import { type Data, DataType, DateUnit, type Decimal, type Timestamp, TimeUnit, type Vector } from "apache-arrow"
import { Result } from "effect"
import type { Column } from "../../../domain/records/Column.ts"
import { type SplitInstant, split } from "../../../domain/records/EpochNanos.ts"
import { type Given, GivenInstant, Refused } from "../cells.ts"

/** What a column's values are wanted as. */
export type Want = Column["type"] | "stamp" | "nanos"

export type ReadValue = (row: number) => Given

const remedies: Readonly<Record<Want, string>> = {
  real: "cast it to float64, an integer or a decimal",
  integer: "cast it to int64",
  text: "cast it to a string",
  date: "cast it to date32, or to text such as 2026-06-19",
  json: "write it as JSON in a string column",
  stamp: "cast it to a timestamp with a zone, or to text in ISO 8601 with an offset",
  nanos: "cast it to int64, whole nanoseconds since 1970"
}

const wanted: Readonly<Record<Want, string>> = {
  real: "a number",
  integer: "a whole number",
  text: "text",
  date: "a date",
  json: "JSON",
  stamp: "a stamp",
  nanos: "nanoseconds"
}

/** Why a column of this type is no column of that kind, with what to do. */
export const typeRefusal = (name: string, type: DataType, want: Want): string =>
  `the column ${JSON.stringify(name)} is ${String(type)}, which cannot be taken exactly as ${wanted[want]}; ${remedies[want]}`

const isText = (type: DataType): boolean =>
  DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)

/** Whether values of the type can be taken exactly. */
export const canTake = (type: DataType, want: Want): boolean => {
  if (DataType.isDictionary(type)) return canTake(type.dictionary, want)
  if (DataType.isNull(type)) return want !== "stamp" && want !== "nanos"
  if (isText(type)) return true
  if (DataType.isInt(type)) return want !== "date"
  if (DataType.isFloat(type)) return type.precision !== 0 && (want === "real" || want === "integer" || want === "json")
  if (DataType.isDecimal(type)) {
    return [32, 64, 128, 256].includes(type.bitWidth) && (want === "real" || want === "integer")
  }
  if (DataType.isDate(type)) return want === "stamp" || want === "date"
  if (DataType.isTimestamp(type) && TimeUnit[type.unit] === undefined) return false
  if (DataType.isTimestamp(type)) return want === "stamp" || want === "nanos" || want === "date"
  return DataType.isBool(type) && want === "json"
}

const damaged = new Refused("the column is damaged")

const dayMillis = 86_400_000

const scaled = (units: bigint, perMilli: bigint): SplitInstant => {
  const rest = units % perMilli
  const millis = Number((units - (rest < 0n ? rest + perMilli : rest)) / perMilli)
  return { millis, nanos: Number((rest < 0n ? rest + perMilli : rest) * (1_000_000n / perMilli)) }
}

const instantOf = (unit: TimeUnit, units: bigint): SplitInstant => {
  switch (unit) {
    case TimeUnit.SECOND:
      return { millis: Number(units) * 1_000, nanos: 0 }
    case TimeUnit.MILLISECOND:
      return { millis: Number(units), nanos: 0 }
    case TimeUnit.MICROSECOND:
      return scaled(units, 1_000n)
    case TimeUnit.NANOSECOND:
      return split(units)
  }
}

const dateText = (millis: number): string | null => {
  const date = new Date(millis)
  if (millis % dayMillis !== 0 || Number.isNaN(date.getTime())) return null
  const text = date.toISOString()
  return text.length === 24 ? text.slice(0, 10) : null
}

const datedOr = (millis: number): Given => dateText(millis) ?? new Refused(`no date such as 2026-06-19: ${millis}`)

/** The nearest double: both sides of the division are exact where it is used, else the digits are read as a text would be. */
const decimalOf = (unscaled: bigint, scale: number): number => {
  const near = Number(unscaled)
  if (Number.isSafeInteger(near) && scale >= 0 && scale <= 22) return near / 10 ** scale
  return Number(`${unscaled}e${-scale}`)
}

const wholeOf = (value: bigint, want: Want): Given => {
  const number = Number(value)
  if (want === "stamp" || want === "nanos" || want === "integer" || want === "text") return String(value)
  return BigInt(number) === value ? number : new Refused(`${value} is not exactly a double`)
}

const textReader = (utf8: Uint8Array, offsets: ArrayLike<number | bigint>): ReadValue => {
  const buffer = Buffer.from(utf8.buffer, utf8.byteOffset, utf8.byteLength)
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const isWhole = isUtf8(buffer)
  let lastStart = 0
  let lastLength = -1
  let last = ""
  const isAsLast = (start: number, length: number): boolean => {
    if (length !== lastLength) return false
    for (let at = 0; at < length; at++) if (utf8[start + at] !== utf8[lastStart + at]) return false
    return true
  }
  return (row) => {
    const start = Number(offsets[row])
    const length = Number(offsets[row + 1]) - start
    if (!(start >= 0 && length >= 0 && start + length <= utf8.length)) return damaged
    if (length < 32 && isAsLast(start, length)) return last
    let text = buffer.toString("utf8", start, start + length)
    if (!isWhole || text.includes("\ufffd")) {
      const decoded = Result.try(() => strict.decode(utf8.subarray(start, start + length)))
      if (Result.isFailure(decoded)) return new Refused("the text is not UTF-8")
      text = decoded.success
    }
    lastStart = start
    lastLength = length
    last = text
    return text
  }
}

/** Of the views: sixteen bytes a row, with the text in them or the place where it is. */
const viewReader = (data: Data): ReadValue => {
  const views = data.values as Uint8Array
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const read = (row: number): string => {
    const at = row * 16
    const view = new DataView(views.buffer, views.byteOffset + at, 16)
    const length = view.getInt32(0, true)
    if (length <= 12) return strict.decode(views.subarray(at + 4, at + 4 + length))
    const buffer = data.variadicBuffers[view.getInt32(8, true)]
    const start = view.getInt32(12, true)
    if (buffer === undefined || start < 0 || start + length > buffer.length) throw new RangeError("out of bounds")
    return strict.decode(buffer.subarray(start, start + length))
  }
  // Rows that are null are not read: their views may say anything.
  return (row) =>
    Result.getOrElse(
      Result.try((): Given => read(row)),
      () => damaged
    )
}

const parsedOr = (text: Given): Given =>
  typeof text === "string"
    ? Result.getOrElse(
        Result.try((): Given => JSON.parse(text)),
        () => text
      )
    : text

/** Of rows that are not null. */
const presentReader = (data: Data, want: Want): ReadValue => {
  const { type } = data
  if (DataType.isDictionary(type)) {
    const dictionary = data.dictionary as Vector
    const values = dictionary.data.flatMap((chunk): ReadonlyArray<Given> => {
      if (!isWhole(chunk)) return []
      const read = columnReader(chunk, want)
      return Array.from({ length: chunk.length }, (_, row) => read(row))
    })
    const indices = data.values as ArrayLike<number | bigint>
    return (row) => {
      const index = Number(indices[row])
      return index >= 0 && index < values.length ? (values[index] ?? null) : damaged
    }
  }
  if (isText(type)) {
    const read = DataType.isUtf8View(type)
      ? viewReader(data)
      : textReader(data.values as Uint8Array, data.valueOffsets as ArrayLike<number | bigint>)
    return want === "json" ? (row) => parsedOr(read(row)) : read
  }
  if (DataType.isBool(type)) {
    const bits = data.values as Uint8Array
    return (row) => (((bits[(row + data.offset) >> 3] ?? 0) >> ((row + data.offset) & 7)) & 1) === 1
  }
  if (DataType.isDecimal(type)) {
    const { bitWidth, scale } = type as Decimal
    const words = data.values as Uint32Array
    const stride = bitWidth / 32
    return (row) => {
      let value = 0n
      for (let word = stride - 1; word >= 0; word--) value = (value << 32n) | BigInt(words[row * stride + word] ?? 0)
      const unscaled = BigInt.asIntN(bitWidth, value)
      if (want === "real") return decimalOf(unscaled, scale)
      const divisor = 10n ** BigInt(Math.abs(scale))
      if (scale <= 0) return String(unscaled * divisor)
      return unscaled % divisor === 0n ? String(unscaled / divisor) : String(decimalOf(unscaled, scale))
    }
  }
  const values = data.values as ArrayLike<number | bigint>
  if (DataType.isTimestamp(type)) {
    const { unit } = type as Timestamp
    return (row) => {
      const instant = instantOf(unit, values[row] as bigint)
      return want === "date" ? (instant.nanos === 0 ? datedOr(instant.millis) : datedOr(1)) : new GivenInstant(instant)
    }
  }
  if (DataType.isDate(type)) {
    const unit = type.unit === DateUnit.DAY ? dayMillis : 1
    return (row) => {
      const millis = Number(values[row]) * unit
      return want === "date" ? datedOr(millis) : new GivenInstant({ millis, nanos: 0 })
    }
  }
  return (row) => {
    const value = values[row] ?? Number.NaN
    if (typeof value === "bigint") return wholeOf(value, want)
    if (want === "text" || want === "stamp" || want === "nanos") return String(value)
    return want === "integer" && !Number.isInteger(value) ? new Refused(`not a whole number: ${value}`) : value
  }
}

/** How many values there have to be for each row. */
const strideOf = (type: DataType): number => {
  if (DataType.isDecimal(type)) return type.bitWidth / 32
  if (DataType.isBool(type)) return 1 / 8
  return DataType.isUtf8View(type) ? 16 : 1
}

const isOffset = (type: DataType): boolean =>
  DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isBinary(type) || DataType.isLargeBinary(type)

const isFlat = (type: DataType): boolean =>
  DataType.isInt(type) ||
  DataType.isFloat(type) ||
  DataType.isDecimal(type) ||
  DataType.isBool(type) ||
  DataType.isDate(type) ||
  DataType.isTimestamp(type) ||
  DataType.isDictionary(type) ||
  DataType.isUtf8View(type)

/** Whether a column has what it says it has; what it says of its texts is looked at when they are read. */
export const isWhole = ({ length, nullBitmap, offset, type, valueOffsets, values }: Data): boolean => {
  if (DataType.isNull(type)) return true
  const bits: unknown = nullBitmap
  if (bits instanceof Uint8Array && bits.length > 0 && bits.length * 8 < length + offset) return false
  if (isOffset(type)) return (valueOffsets?.length ?? 0) > length
  // Of columns that are passed over, lists and the like, nothing is read.
  if (!isFlat(type)) return true
  return (values?.length ?? 0) >= Math.ceil(length * strideOf(type))
}

/** Reads the rows of one column that is whole; null where there is no value. The type has to be one that can be taken. */
export const columnReader = (data: Data, want: Want): ReadValue => {
  if (DataType.isNull(data.type)) return () => null
  const bits: unknown = data.nullBitmap
  const present = presentReader(data, want)
  if (!(bits instanceof Uint8Array) || bits.length === 0) return present
  return (row) => {
    const bit = row + data.offset
    return (((bits[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 0 ? null : present(row)
  }
}
