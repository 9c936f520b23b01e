/** What holds for a stamp in every store: what may be recorded, and what tables prove. */
import type { SchemaReport } from "../../../services/ControlPlane.ts"
import { MarketStoreError, StoreSchemaMismatch } from "../../../services/MarketStore.ts"

export const mismatch = (message: string) => new MarketStoreError({ reason: new StoreSchemaMismatch({ message }) })

/** Why this version may not be recorded, before anybody looks at the tables; null where it may. */
export const mayStamp = (where: string, report: SchemaReport, version: number): string | null => {
  if (!report.migrations.some(({ id, name }) => id === version && name !== null)) {
    return `this release has no schema version ${version}; it knows 1 to ${report.expected}`
  }
  if (report.migrations.some(({ state }) => state === "unknown")) {
    return `${where} has migrations that this release does not know: what they made cannot be proven by it`
  }
  if (report.version > version) {
    return `${where} has schema version ${report.version}, and a stamp never lowers it`
  }
  return report.state === "absent"
    ? `${where} has no tables that could prove anything: tapestry store migrate makes them`
    : null
}

/** The migrations that a stamp would record. */
export const toRecord = (report: SchemaReport, version: number): ReadonlyArray<number> =>
  report.migrations.flatMap(({ id, state }) => (id <= version && state !== "applied" ? [id] : []))

/** One thing that a schema has; `own` things (indexes, constraints) may be there beyond what the migrations make. */
export interface Trait {
  readonly text: string
  readonly own: boolean
}

const shown = 3

/** What tells the tables that are there from those that the migrations would make; null where nothing does. */
export const differenceOf = (
  where: string,
  version: number,
  there: ReadonlyArray<Trait>,
  made: ReadonlyArray<Trait>
): string | null => {
  const has = (traits: ReadonlyArray<Trait>) => new Set(traits.map(({ text }) => text))
  const [present, wanted] = [has(there), has(made)]
  const differences = [
    ...made.filter(({ text }) => !present.has(text)).map(({ text }) => `lacks ${text}`),
    ...there.filter(({ own, text }) => !own && !wanted.has(text)).map(({ text }) => `has ${text}`)
  ]
  if (differences.length === 0) return null
  const more = differences.length > shown ? `; and ${differences.length - shown} more` : ""
  return `the tables of ${where} are not those of schema version ${version}: it ${differences.slice(0, shown).join("; ")}${more}. Nothing was recorded`
}
