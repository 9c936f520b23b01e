import type { SqlValue } from "../sqlite/SqliteDatabase.ts"

/** A hash of the database as text; null for what is no blob. */
export const hex = (value: SqlValue | undefined): string | null =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex") : null
