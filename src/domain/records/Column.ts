import { Schema } from "effect"

/**
 * What a column of a record holds. `real`: a finite number. `integer`: a whole number that a double keeps exactly. `text`: well-formed
 * text without NUL, which PostgreSQL cannot store. `date`: `2026-06-19`. `json`: any JSON value.
 */
export type ColumnType = "real" | "integer" | "text" | "date" | "json"

/** One column beside the stamp. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** Null where a vendor does not say; other columns always have a value. */
  readonly nullable: boolean
}

/** What a record holds at a column. */
export type Cell = Schema.Json

// Without effects: what of a bundle only a store needs can be left out of it.
export const required = /* @__NO_SIDE_EFFECTS__ */ (name: string, type: ColumnType): Column => ({
  name,
  type,
  nullable: false
})
export const optional = /* @__NO_SIDE_EFFECTS__ */ (name: string, type: ColumnType): Column => ({
  name,
  type,
  nullable: true
})

/** Text that every store can keep: no NUL, no lone surrogate. */
export const StorableText = Schema.String.pipe(Schema.check(Schema.makeFilter((text) => textDefect(text) ?? true)))

const textDefect = (text: string): string | null => {
  if (text.includes("\u0000")) return "text with a NUL character cannot be stored"
  return text.isWellFormed() ? null : "a lone surrogate is not text"
}

const isDate = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const instant = Date.parse(`${text}T00:00:00Z`)
  return Number.isFinite(instant) && new Date(instant).toISOString().startsWith(text)
}

/** A calendar date, `2026-06-19`. */
export const DateText = Schema.String.pipe(
  Schema.check(Schema.makeFilter((text) => isDate(text) || "a date is written 2026-06-19"))
)

/** Every text inside a JSON value, names too. */
const jsonDefect = (value: Cell): string | null => {
  if (typeof value === "string") return textDefect(value)
  if (typeof value === "number") return Number.isFinite(value) ? null : `${value} is not a finite number`
  if (value === null || typeof value !== "object") return null
  for (const [name, inner] of Object.entries(value)) {
    const defect = textDefect(name) ?? jsonDefect(inner)
    if (defect !== null) return defect
  }
  return null
}

/** Why a cell cannot be stored, in words that name its column; null when it can. */
export const cellDefect = ({ name, nullable, type }: Column, cell: Cell | undefined): string | null => {
  if (cell === undefined || cell === null) return nullable ? null : `${name} is missing`
  switch (type) {
    case "real":
      return typeof cell === "number" && Number.isFinite(cell) ? null : `${name} is not a finite number: ${cell}`
    case "integer":
      return Number.isSafeInteger(cell) ? null : `${name} is not a whole number that can be kept exactly: ${cell}`
    case "text": {
      if (typeof cell !== "string") return `${name} is not text: ${JSON.stringify(cell)}`
      const defect = textDefect(cell)
      return defect === null ? null : `${name}: ${defect}`
    }
    case "date":
      return typeof cell === "string" && isDate(cell) ? null : `${name} is not a date such as 2026-06-19: ${cell}`
    case "json": {
      const defect = jsonDefect(cell)
      return defect === null ? null : `${name}: ${defect}`
    }
  }
}
