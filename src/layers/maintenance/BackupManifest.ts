import { Schema } from "effect"

/**
 * `manifest.json` of a backup, written last: a directory that has it is a whole backup. `file` is a database's name in the backup, `name`
 * the one it has in a data directory. Of payloads in files, `responses/`, the archive's own records say what belongs to it.
 */
export const BackupManifest = Schema.Struct({
  format: Schema.Literal(1),
  product: Schema.String,
  /** UTC epoch milliseconds. */
  takenAt: Schema.Int,
  databases: Schema.Array(
    Schema.Struct({ name: Schema.String, file: Schema.String, sizeBytes: Schema.Int, sha256: Schema.String })
  ),
  payloadFiles: Schema.Int,
  payloadFileBytes: Schema.Int
})
export interface BackupManifest extends Schema.Schema.Type<typeof BackupManifest> {}

export const manifestName = "manifest.json"
