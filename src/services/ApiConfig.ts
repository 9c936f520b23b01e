import { Context, type Effect, Schema } from "effect"
import type { ConfigEntry, ConfigKey } from "../domain/ConfigEntry.ts"
import { MarketStoreError } from "./MarketStore.ts"

/** The value was to be another one than it is: somebody has changed it. `version` is its own, 0 where there is none. */
export class ConfigChanged extends Schema.TaggedError<ConfigChanged>()("ConfigChanged", {
  key: Schema.String,
  version: Schema.Int,
  message: Schema.String
}) {}
/** A value, or what is said of it, that is too long, or that a database cannot keep; nothing was changed. */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", { message: Schema.String }) {}

export class ApiConfigError extends Schema.TaggedError<ApiConfigError>()("ApiConfigError", {
  reason: Schema.Union([ConfigChanged, InvalidConfig, MarketStoreError])
}) {
  override get message(): string {
    return this.reason.message
  }
}

export interface SetConfigOptions {
  /** Absent: what it says already, or nothing; null takes it away. */
  readonly description?: string | null
  /** Only where the value has this version; 0: only where there is none. */
  readonly ifVersion?: number
}

/**
 * Values that a tenant keeps with its rows, for whoever works with them: JSON by key, 64 KiB each. Tapestry itself reads none of them. A change is one
 * transaction and durable as a commit of rows is; of two at once with `ifVersion` one fails.
 */
export class ApiConfig extends Context.Service<
  ApiConfig,
  {
    /** Null where there is no such value. */
    readonly get: (key: ConfigKey) => Effect.Effect<ConfigEntry | null, ApiConfigError>
    /** Ascending by key; of keys that begin with `prefix`. */
    readonly list: (options?: { readonly prefix?: string }) => Effect.Effect<ReadonlyArray<ConfigEntry>, ApiConfigError>
    /** The value that is there then; the same again changes nothing. */
    readonly set: (
      key: ConfigKey,
      value: Schema.Json,
      options?: SetConfigOptions
    ) => Effect.Effect<ConfigEntry, ApiConfigError>
    /** False where there was none. */
    readonly unset: (
      key: ConfigKey,
      options?: Pick<SetConfigOptions, "ifVersion">
    ) => Effect.Effect<boolean, ApiConfigError>
  }
>()("tapestry/ApiConfig") {}
