import { Schema } from "effect"
import { EpochMillis } from "./TimeRange.ts"

/** What a value of the store is called: 1 to 200 of letters, digits and `. _ - : / @`, the first a letter or a digit. Case counts. */
export const ConfigKey = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$/)),
  Schema.brand("ConfigKey")
)
export type ConfigKey = typeof ConfigKey.Type

/** A value as it is now. `version` counts its changes, from 1; a key that was removed begins anew. */
export const ConfigEntry = Schema.Struct({
  key: ConfigKey,
  value: Schema.Json,
  description: Schema.NullOr(Schema.String),
  version: Schema.Int,
  updatedAt: EpochMillis
})
export interface ConfigEntry extends Schema.Schema.Type<typeof ConfigEntry> {}
