/** How a store's schema stands to the one that this release knows. */
import type { MigrationState, SchemaReport, SchemaState } from "../../../services/ControlPlane.ts"

/** A migration of this release, and the checksum of its statements. */
export interface KnownMigration {
  readonly id: number
  readonly name: string
  readonly sha256: string
}

/** A migration that the store says was applied to it. */
export interface RecordedMigration {
  readonly id: number
  readonly sha256: string
}

const highest = (migrations: ReadonlyArray<{ readonly id: number }>): number =>
  migrations.reduce((most, { id }) => Math.max(most, id), 0)

/** `tables`: whether any of the store's own tables is there. */
export const assess = (
  recorded: ReadonlyArray<RecordedMigration>,
  known: ReadonlyArray<KnownMigration>,
  tables: boolean
): SchemaReport => {
  const sums = new Map(recorded.map(({ id, sha256 }) => [id, sha256]))
  const ours = known.map(({ id, name, sha256 }): MigrationState => {
    const found = sums.get(id)
    return { id, name, state: found === undefined ? "pending" : found === sha256 ? "applied" : "changed" }
  })
  const theirs = recorded.flatMap(
    ({ id }): ReadonlyArray<MigrationState> =>
      known.some((migration) => migration.id === id) ? [] : [{ id, name: null, state: "unknown" }]
  )
  const migrations = [...ours, ...theirs].sort((a, b) => a.id - b.id)
  const version = highest(recorded)
  const expected = highest(known)
  const has = (state: MigrationState["state"]) => migrations.some((migration) => migration.state === state)
  const state: SchemaState =
    version > expected
      ? "newer"
      : has("changed") || has("unknown")
        ? "foreign"
        : recorded.length === 0
          ? tables
            ? "unrecorded"
            : "absent"
          : has("pending")
            ? "behind"
            : "current"
  return { version, expected, state, migrations }
}

/** Why nothing may be migrated, and what to do; null where it may. */
export const refusalOf = (where: string, { expected, migrations, state, version }: SchemaReport): string | null => {
  switch (state) {
    case "newer":
      return `${where} has schema version ${version}, this release knows up to ${expected}: use the release that wrote it, or a newer one`
    case "foreign": {
      const strange = migrations.filter((migration) => migration.state === "changed" || migration.state === "unknown")
      const named = strange.map(({ id, name }) => (name === null ? `${id}` : `${id} (${name})`)).join(", ")
      return `${where} was made by other migrations than this release has: ${named}. Use the release that made it; where its tables are this release's all the same, tapestry store stamp proves and records that; or make it again from the archive (tapestry rebuild into an empty store)`
    }
    case "unrecorded":
      return `${where} has tables, and nothing that says which migrations made them: tapestry store stamp ${expected} looks whether they are this release's, and records it with --confirm`
    default:
      return null
  }
}
