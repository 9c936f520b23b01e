import { Result } from "effect"
import { barFields, type ColumnIndex, type Records } from "./Records.ts"
import type { RowDecoding } from "./RowDecoding.ts"

const utf8 = new TextDecoder()
const encoder = new TextEncoder()

/** Fields of JSON rows stand in the order of {@link barFields}, whatever the row's own order. */
export const jsonColumns: ColumnIndex = { ts: 0, open: 1, high: 2, low: 3, close: 4, volume: 5, vwap: 6, count: 7 }

type Source = () => { readonly position: number; readonly value: unknown; readonly problem: string | null } | null

const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return ""
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "")
}

/**
 * Rows of JSON (objects by key, or arrays by the header list), each laid out as text in a small buffer so that one reader of
 * bars serves every format. A missing key and a JSON null are the empty text. Numbers have passed through float64, which
 * keeps 15 digits; a vendor that sends more sends them as strings.
 */
export class JsonRecords implements Records {
  readonly bytes = new Uint8Array(4096)
  readonly starts = new Int32Array(barFields.length)
  readonly ends = new Int32Array(barFields.length)
  readonly fields = barFields.length
  readonly fatal = false
  position = 0
  problem: string | null = null
  private readonly source: Source
  private readonly names: ReadonlyArray<string | null>
  private readonly header: ReadonlyArray<string> | null
  private row: unknown = null

  constructor(
    source: Source,
    decoding: Pick<RowDecoding, "columns"> & { readonly header: "line" | ReadonlyArray<string> }
  ) {
    this.source = source
    this.names = barFields.map((field) => {
      const named = decoding.columns[field]
      return named === undefined ? field : named
    })
    this.header = decoding.header === "line" ? null : decoding.header
  }

  private valueOf(name: string | null): unknown {
    if (name === null || typeof this.row !== "object" || this.row === null) return null
    if (Array.isArray(this.row)) return this.row[this.header?.indexOf(name) ?? -1]
    if (Object.hasOwn(this.row, name)) return Reflect.get(this.row, name)
    return name.startsWith("/") ? resolvePointer(this.row, name) : null
  }

  next(): boolean {
    const item = this.source()
    if (item === null) return false
    this.position = item.position
    this.problem = item.problem
    this.row = item.value
    if (this.problem !== null) return true
    if (typeof item.value !== "object" || item.value === null)
      this.problem = "the row is neither an object nor an array"
    else if (Array.isArray(item.value) && this.header === null) {
      this.problem = "the row is an array; name its columns with a header list"
    }
    let at = 0
    for (let field = 0; field < barFields.length; field++) {
      const text = textOf(this.valueOf(this.names[field] ?? null))
      const { read, written } = encoder.encodeInto(text, this.bytes.subarray(at))
      if (read < text.length) this.problem = `the field ${barFields[field]} is too long`
      this.starts[field] = at
      at += written
      this.ends[field] = at
    }
    return true
  }

  text(field: number): string {
    return utf8.decode(this.bytes.subarray(this.starts[field] ?? 0, this.ends[field] ?? 0))
  }

  excerpt(): string {
    return JSON.stringify(this.row) ?? ""
  }
}

/** A row per line; blank lines and those that begin with # are no rows. Positions are 1-based lines. */
export const ndjsonSource = (bytes: Uint8Array): Source => {
  let at = 0
  let line = 0
  return () => {
    while (at < bytes.length) {
      const found = bytes.indexOf(10, at)
      const end = found === -1 ? bytes.length : found
      const text = utf8.decode(bytes.subarray(at, end)).trim()
      at = end + 1
      line++
      if (text === "" || text.startsWith("#")) continue
      return Result.match(
        Result.try((): unknown => JSON.parse(text)),
        {
          onFailure: () => ({ position: line, value: text, problem: "the line is not JSON" }),
          onSuccess: (value) => ({ position: line, value, problem: null })
        }
      )
    }
    return null
  }
}

/** What a JSON pointer names; undefined where the document has no such place. */
export const resolvePointer = (document: unknown, pointer: string): unknown => {
  if (pointer === "") return document
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>(
      (value, key) =>
        typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined,
      document
    )
}

/** The bytes as a JSON document; the failure is a message. */
export const jsonDocument = (bytes: Uint8Array): Result.Result<unknown, string> =>
  Result.mapError(
    Result.try((): unknown => JSON.parse(utf8.decode(bytes))),
    (cause) => `the document is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`
  )

/** The array of rows in a JSON document. */
export const jsonRows = (bytes: Uint8Array, pointer: string): Result.Result<ReadonlyArray<unknown>, string> =>
  Result.flatMap(jsonDocument(bytes), (document) => {
    const rows = resolvePointer(document, pointer)
    return Array.isArray(rows)
      ? Result.succeed(rows)
      : Result.fail(`there is no array of rows at ${pointer === "" ? "the top of the document" : pointer}; set pointer`)
  })

const columnIn = (table: unknown, name: string): unknown =>
  typeof table === "object" && table !== null && Object.hasOwn(table, name)
    ? Reflect.get(table, name)
    : name.startsWith("/")
      ? resolvePointer(table, name)
      : undefined

const requiredFields: ReadonlySet<string> = new Set(["ts", "open", "high", "low", "close"])

/** The arrays of a columnar document in the order of {@link barFields}; null for a field that it does not have. */
const columnsOf = (
  document: unknown,
  { columns, pointer }: RowDecoding
): Result.Result<ReadonlyArray<ReadonlyArray<unknown> | null>, string> => {
  const table = resolvePointer(document, pointer)
  const arrays: Array<ReadonlyArray<unknown> | null> = []
  for (const field of barFields) {
    const name = columns[field] === undefined ? field : columns[field]
    const found = name === null ? null : columnIn(table, name)
    if (Array.isArray(found)) arrays.push(found)
    else if (requiredFields.has(field) || (found !== null && found !== undefined)) {
      return Result.fail(
        `there is no array ${JSON.stringify(name)} for ${field} at ${pointer === "" ? "the top of the document" : pointer}; set pointer or columns`
      )
    } else arrays.push(null)
  }
  const length = arrays[0]?.length ?? 0
  const other = arrays.findIndex((array) => array !== null && array.length !== length)
  return other === -1
    ? Result.succeed(arrays)
    : Result.fail(`the column ${barFields[other]} has ${arrays[other]?.length} values, ts has ${length}`)
}

/** The rows of a columnar document: positions are 0-based indexes into its arrays. */
export const columnarRecords = (document: unknown, decoding: RowDecoding): Result.Result<JsonRecords, string> =>
  Result.map(columnsOf(document, decoding), (arrays) => {
    let next = 0
    const length = arrays[0]?.length ?? 0
    const source: Source = () => {
      if (next >= length) return null
      const position = next++
      return { position, value: arrays.map((array) => array?.[position] ?? null), problem: null }
    }
    return new JsonRecords(source, { columns: {}, header: [...barFields] })
  })

/** One row of a columnar document, as an object; null where there is none. */
export const columnarRow = (document: unknown, decoding: RowDecoding, position: number): string | null =>
  Result.match(columnsOf(document, decoding), {
    onFailure: () => null,
    onSuccess: (arrays) =>
      position < 0 || position >= (arrays[0]?.length ?? 0)
        ? null
        : JSON.stringify(
            Object.fromEntries(barFields.map((field, index) => [field, arrays[index]?.[position] ?? null]))
          )
  })

/** Positions are 0-based indexes. */
export const jsonSource = (rows: ReadonlyArray<unknown>): Source => {
  let next = 0
  return () => {
    if (next >= rows.length) return null
    const position = next++
    return { position, value: rows[position], problem: null }
  }
}
