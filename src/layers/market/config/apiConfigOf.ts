/**
 * The values of a tenant, over the few statements in which databases differ.
 *
 * Queueing: none, and no lock: a change says which version it was made from, and is made again from what is there where somebody was first. So
 * of two that change one key at once both are done, one after the other, unless they have said what they expect.
 */
import { Clock, Effect, Schema } from "effect"
import { type ConfigEntry, ConfigKey } from "../../../domain/ConfigEntry.ts"
import { ApiConfig, ApiConfigError, ConfigChanged, InvalidConfig } from "../../../services/ApiConfig.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import { num, type SqlRow } from "../rows.ts"

export interface ConfigRow {
  readonly key: ConfigKey
  /** JSON. */
  readonly value: string
  readonly description: string | null
  readonly version: number
  readonly updatedAt: number
}

/** Each is one statement; rows are key, value, description, version, updated_at. */
export interface ConfigStatements {
  readonly find: (key: ConfigKey) => Effect.Effect<ReadonlyArray<SqlRow>, MarketStoreError>
  readonly list: (prefix: string) => Effect.Effect<ReadonlyArray<SqlRow>, MarketStoreError>
  /** False where there is one. */
  readonly insert: (row: ConfigRow) => Effect.Effect<boolean, MarketStoreError>
  /** Of `version - 1`; false where that is not there. */
  readonly update: (row: ConfigRow) => Effect.Effect<boolean, MarketStoreError>
  /** False where that version is not there. */
  readonly remove: (key: ConfigKey, version: number) => Effect.Effect<boolean, MarketStoreError>
}

const mostBytes = 65_536
const mostWords = 2_000

const decodeValue = Schema.decodeUnknownSync(Schema.Json)

const toRow = (row: SqlRow): ConfigRow => ({
  key: ConfigKey.make(String(row[0])),
  value: String(row[1]),
  description: row[2] === null ? null : String(row[2]),
  version: num(row[3]),
  updatedAt: num(row[4])
})

const toEntry = ({ value, ...row }: ConfigRow): ConfigEntry => ({ ...row, value: decodeValue(JSON.parse(value)) })

const asApiConfigError = (error: MarketStoreError | ApiConfigError): ApiConfigError =>
  error._tag === "ApiConfigError" ? error : new ApiConfigError({ reason: error })

const invalid = (message: string) => new ApiConfigError({ reason: new InvalidConfig({ message }) })

const changed = (key: ConfigKey, version: number, expected: number) =>
  new ApiConfigError({
    reason: new ConfigChanged({
      key,
      version,
      message:
        version === 0
          ? `${key} was to have version ${expected}, and is not there: somebody has removed it`
          : `${key} was to have version ${expected}, and has ${version}: somebody has changed it; look at it, and set it from that`
    })
  })

export const apiConfigOf = ({ find, insert, list, remove, update }: ConfigStatements): ApiConfig["Service"] => {
  const current = (key: ConfigKey) => Effect.map(find(key), ([row]) => (row === undefined ? null : toRow(row)))

  const set: ApiConfig["Service"]["set"] = Effect.fn("ApiConfig.set")(function* (key, json, options = {}) {
    const value = JSON.stringify(json)
    const bytes = Buffer.byteLength(value)
    if (bytes > mostBytes) return yield* invalid(`the value of ${key} has ${bytes} bytes, and may have ${mostBytes}`)
    if ((options.description?.length ?? 0) > mostWords) {
      return yield* invalid(`the description of ${key} has more than ${mostWords} characters`)
    }
    if (options.description?.includes("\0") === true) {
      return yield* invalid(`the description of ${key} has a NUL, which no database keeps`)
    }
    for (;;) {
      const there = yield* current(key)
      const version = there?.version ?? 0
      if (options.ifVersion !== undefined && options.ifVersion !== version) {
        return yield* changed(key, version, options.ifVersion)
      }
      const description = options.description === undefined ? (there?.description ?? null) : options.description
      if (there !== null && there.value === value && there.description === description) return toEntry(there)
      const updatedAt = yield* Clock.currentTimeMillis
      const next: ConfigRow = { key, value, description, version: version + 1, updatedAt }
      if (yield* there === null ? insert(next) : update(next)) return toEntry(next)
    }
  }, Effect.mapError(asApiConfigError))

  const unset: ApiConfig["Service"]["unset"] = Effect.fn("ApiConfig.unset")(function* (key, { ifVersion } = {}) {
    for (;;) {
      const version = (yield* current(key))?.version ?? 0
      if (ifVersion !== undefined && ifVersion !== version) return yield* changed(key, version, ifVersion)
      if (version === 0) return false
      if (yield* remove(key, version)) return true
    }
  }, Effect.mapError(asApiConfigError))

  return ApiConfig.of({
    get: Effect.fn("ApiConfig.get")(function* (key) {
      const row = yield* current(key)
      return row === null ? null : toEntry(row)
    }, Effect.mapError(asApiConfigError)),
    list: Effect.fn("ApiConfig.list")(function* ({ prefix = "" } = {}) {
      return (yield* list(prefix)).map((row) => toEntry(toRow(row)))
    }, Effect.mapError(asApiConfigError)),
    set,
    unset
  })
}
