/** The rows of a segment, one after the other, as values by target; the same for CSV and NDJSON. */
import { Result, type Schema } from "effect"
import type { ImportSpec } from "../../services/Imports.ts"
import { CsvRecords } from "../adapters/records/CsvRecords.ts"
import { ndjsonSource } from "../adapters/records/JsonRecords.ts"
import type { Given } from "./cells.ts"
import { columnsOf, type Target, targetOf, targetsOf, unknownColumn } from "./importFields.ts"

/** One row. `position` is its line in the segment, of Arrow its row, from 1. */
export interface SourceRow {
  readonly position: number
  readonly problem: string | null
  /** Nothing behind this row can be told apart any more. */
  readonly fatal: boolean
  /** Gives each value that there is to `take`; null for no value. To be called before the next row is asked for. */
  readonly each: (take: (target: Target, value: Given) => void) => void
  /** The row as text, for reject files. */
  readonly text: () => string
}

/** Null at the end. */
export type SourceRows = () => SourceRow | null

const quote = 34

const csvRows = (spec: ImportSpec, bytes: Uint8Array): Result.Result<SourceRows, string> =>
  Result.map(targetsOf(spec, spec.header ?? []), (targets): SourceRows => {
    const records = new CsvRecords(bytes, spec.delimiter)
    const nullable = columnsOf(spec.kind)
    return () => {
      if (!records.next()) return null
      const { fatal, fields, position } = records
      const problem =
        records.problem ??
        (fields === targets.length ? null : `it has ${fields} fields, the header has ${targets.length}`)
      return {
        position,
        problem,
        fatal,
        text: () => records.excerpt(),
        each: (take) => {
          for (let field = 0; field < targets.length; field++) {
            const target = targets[field]
            if (target === undefined || target._tag === "Ignored") continue
            const text = records.text(field)
            const quoted = bytes[(records.starts[field] ?? 0) - 1] === quote
            const absent = !quoted && (text === "" || text === spec.nullToken)
            const isJson = target._tag === "Cell" && nullable[target.index]?.type === "json"
            if (absent) take(target, null)
            else if (isJson) take(target, parsedOr(text))
            else take(target, text)
          }
        }
      }
    }
  })

/** What is no JSON is text. */
const parsedOr = (text: string): Schema.Json =>
  Result.getOrElse(
    Result.try((): Schema.Json => JSON.parse(text)),
    () => text
  )

const isObject = (value: unknown): value is Readonly<Record<string, Schema.Json>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const ndjsonRows = (spec: ImportSpec, bytes: Uint8Array): SourceRows => {
  const source = ndjsonSource(bytes)
  // Nearly all rows have the names of the one before.
  const targets = new Map<string, Target | null>()
  const lookUp = (name: string): Target | null => {
    const found = targets.get(name)
    if (found !== undefined) return found
    const target = targetOf(spec.kind, name)
    targets.set(name, target)
    return target
  }
  return () => {
    const item = source()
    if (item === null) return null
    const { position, value } = item
    const row = isObject(value) ? value : {}
    let problem = item.problem ?? (isObject(value) ? null : "the line is no JSON object")
    if (problem === null && spec.unknownColumns === "refuse") {
      for (const name of Object.keys(row)) if (lookUp(name) === null) problem = unknownColumn(spec.kind, name)
    }
    return {
      position,
      problem,
      fatal: false,
      text: () => (typeof value === "string" ? value : (JSON.stringify(value) ?? "")),
      each: (take) => {
        for (const name of Object.keys(row)) {
          const target = lookUp(name)
          if (target !== null && target._tag !== "Ignored") take(target, row[name] ?? null)
        }
      }
    }
  }
}

export const sourceRows = (spec: ImportSpec, bytes: Uint8Array): Result.Result<SourceRows, string> =>
  spec.format === "csv" ? csvRows(spec, bytes) : Result.succeed(ndjsonRows(spec, bytes))
