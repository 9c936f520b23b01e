/** Whether a store answers: a line for people, a document, metrics. */
import { Result } from "effect"
import type { SchemaReport } from "../../services/ControlPlane.ts"

interface Answered {
  /** Null: the data directory has no store yet. */
  readonly found:
    | (Pick<SchemaReport, "state" | "version" | "expected"> & {
        readonly store: "sqlite" | "postgres"
        readonly where: string
      })
    | null
  readonly elapsedMillis: number
}

/** `ok`: it answered, and this release can use it, if need be after a migration. */
export interface StorePing {
  readonly ok: boolean
  readonly store: "sqlite" | "postgres" | null
  readonly where: string | null
  readonly state: SchemaReport["state"] | null
  readonly version: number | null
  readonly expected: number | null
  /** Of the try that was answered. */
  readonly elapsedMillis: number | null
  readonly attempts: number
  readonly error: string | null
}

const silent = { store: null, where: null, state: null, version: null, expected: null, elapsedMillis: null }

const usable: ReadonlySet<SchemaReport["state"]> = new Set(["current", "behind", "absent"])

export const pingOf = (answered: Result.Result<Answered, string>, attempts: number): StorePing =>
  Result.match(answered, {
    onFailure: (error) => ({ ok: false, ...silent, attempts, error }),
    onSuccess: ({ elapsedMillis, found }) => {
      const state = found?.state ?? "absent"
      return { ok: usable.has(state), ...silent, ...found, state, elapsedMillis, attempts, error: null }
    }
  })

const meaning: Readonly<Record<SchemaReport["state"], string>> = {
  current: "as this release needs",
  behind: "which the next command that writes migrates",
  absent: "no tables yet: the first command that fetches makes them",
  newer: "newer than this release: use the one that wrote it",
  foreign: "by other migrations than this release's: see tapestry store status",
  unrecorded: "not recorded, though there are tables: see tapestry store status"
}

export const pingLine = ({ attempts, elapsedMillis, error, state, store, version, where }: StorePing): string => {
  if (error !== null) return attempts === 1 ? error : `${error} (${attempts} tries)`
  const schema = state === null || state === "absent" ? meaning.absent : `schema ${version}, ${meaning[state]}`
  return store === null ? schema : `${where} answers in ${elapsedMillis} ms; ${schema}`
}

export const pingMetrics = ({ elapsedMillis, expected, ok, version }: StorePing): ReadonlyArray<string> => [
  "# HELP store_up Whether the store answers and can be used (1) or not (0)",
  "# TYPE store_up gauge",
  `store_up ${ok ? 1 : 0}`,
  ...(elapsedMillis === null
    ? []
    : [
        "# HELP tapestry_store_ping_seconds Seconds until the store answered",
        "# TYPE tapestry_store_ping_seconds gauge",
        `tapestry_store_ping_seconds ${elapsedMillis / 1_000}`
      ]),
  ...(version === null || expected === null
    ? []
    : [
        "# HELP tapestry_store_schema_version The schema version that the store has, and the one that this release needs",
        "# TYPE tapestry_store_schema_version gauge",
        `tapestry_store_schema_version{of="store"} ${version}`,
        `tapestry_store_schema_version{of="release"} ${expected}`
      ])
]
