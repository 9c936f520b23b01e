/**
 * What holds for a command: flag before environment before tapestry.yaml before default, each value with where it came from.
 */
import { Config, Context, Effect, FileSystem, Option, Redacted, Result } from "effect"
import type { GlobalFlag } from "effect/cli"
import { defaultTenant, type TenantName } from "../domain/Tenant.ts"
import type { TapestryConfig } from "../layers/config/TapestryConfig.ts"
import { addressOf, showAddress } from "../layers/postgres/PostgresAddress.ts"
import { UsageError } from "./failure/UsageError.ts"
import { ConfigFile, DataDir, LogLevel as LogLevelFlag, logLevels, Store, Tenant } from "./flags/GlobalFlags.ts"
import { tenantName } from "./flags/tenantName.ts"
import { isLevel } from "./logLevels.ts"

export type Origin = "flag" | "environment" | "file" | "default"

export interface Sourced<A> {
  readonly value: A
  readonly origin: Origin
}

export interface Settings {
  readonly dataDir: Sourced<string>
  /** Null: none is used. */
  readonly configFile: Sourced<string | null>
  readonly logLevel: Sourced<string>
  /** Where the rows are, as it may be shown: `host:port/database`, or null for the data directory. */
  readonly store: Sourced<string | null>
  /** Whose rows and archive. */
  readonly tenant: Sourced<TenantName>
  readonly config: TapestryConfig
  /** The file's own part, before flags and environment. */
  readonly file: TapestryConfig
}

/** What a command logs where nobody says otherwise: a command ends soon and is watched, a server tells what it does. */
export const DefaultLogLevel = Context.Reference<"warn" | "info">("tapestry/DefaultLogLevel", {
  defaultValue: () => "warn"
})

/** A variable of the environment; one that is empty counts as not set. */
export const variable = Effect.fnUntraced(function* (name: string) {
  const text = yield* Config.option(Config.String(name))
  return Option.filter(text, (given) => given !== "")
}, Effect.orDie)

/** LOG_LEVEL as it is in the environment, in lower case. */
export const environmentLevel = Effect.gen(function* () {
  const level = Option.map(yield* variable("LOG_LEVEL"), (text) => text.toLowerCase())
  if (Option.isSome(level) && !isLevel(level.value)) {
    return yield* new UsageError({ message: `LOG_LEVEL=${level.value}: expected one of ${logLevels.join(", ")}` })
  }
  return level
})

/** A flag whose value was left empty, as by a variable of a script that is not set, means no directory and no file. */
const notEmpty = (name: string, flag: Option.Option<string>): Effect.Effect<Option.Option<string>, UsageError> =>
  Option.isSome(flag) && flag.value.trim() === ""
    ? Effect.fail(new UsageError({ message: `--${name} is empty; give it a name, or leave it out` }))
    : Effect.succeed(flag)

const conventional = "tapestry.yaml"

const configFileOf = Effect.gen(function* (): Effect.fn.Return<
  Sourced<string | null>,
  UsageError,
  FileSystem.FileSystem | GlobalFlag.Setting.Identifier<"config">
> {
  const flag = yield* notEmpty("config", yield* ConfigFile)
  if (Option.isSome(flag)) return { value: flag.value, origin: "flag" }
  const environment = yield* variable("TAPESTRY_CONFIG")
  if (Option.isSome(environment)) return { value: environment.value, origin: "environment" }
  const fs = yield* FileSystem.FileSystem
  const there = yield* Effect.orElseSucceed(fs.exists(conventional), () => false)
  return { value: there ? conventional : null, origin: "default" }
})

/** The first candidate that is there. */
export const first = <A>(
  candidates: ReadonlyArray<readonly [Origin, Option.Option<A>]>,
  otherwise: Sourced<A>
): Sourced<A> => {
  for (const [origin, value] of candidates) if (Option.isSome(value)) return { value: value.value, origin }
  return otherwise
}

/** What a flag or a variable means by a store: a database, or (`sqlite`) the data directory. */
const storeAt = Effect.fnUntraced(function* (given: string, name: string) {
  if (given === "sqlite") return { url: null, address: null }
  const url = Redacted.make(given, { label: "store" })
  const address = addressOf(url)
  if (Result.isFailure(address)) {
    return yield* new UsageError({ message: `${name}: ${address.failure.message}, or sqlite for the data directory` })
  }
  return { url, address: showAddress(address.success) }
})

const storeOf = Effect.gen(function* () {
  const flag = yield* notEmpty("store", yield* Store)
  if (Option.isSome(flag)) return { value: yield* storeAt(flag.value, "--store"), origin: "flag" as const }
  const environment = yield* variable("DATABASE_URL")
  return Option.isSome(environment)
    ? { value: yield* storeAt(environment.value, "DATABASE_URL"), origin: "environment" as const }
    : { value: { url: null, address: null }, origin: "default" as const }
})

const tenantOf = Effect.gen(function* () {
  const flag = yield* notEmpty("tenant", yield* Tenant)
  if (Option.isSome(flag)) return { value: yield* tenantName(flag.value, "--tenant"), origin: "flag" as const }
  const environment = yield* variable("TAPESTRY_TENANT")
  return Option.isSome(environment)
    ? { value: yield* tenantName(environment.value, "TAPESTRY_TENANT"), origin: "environment" as const }
    : { value: defaultTenant.name, origin: "default" as const }
})

const gatewayVariables = ["IB_HOST", "IB_PORT", "IB_CLIENT_ID"]

/** The vendors of the file, with what the environment says of a gateway. */
const vendorsOf = Effect.fnUntraced(function* (config: TapestryConfig) {
  const said = yield* Effect.forEach(gatewayVariables, variable)
  if (!said.some(Option.isSome)) return config.vendors
  const { gatewaySettings } = yield* Effect.promise(() => import("./gatewaySettings.ts"))
  return (yield* gatewaySettings(config)).vendors
})

const optionsVariables = [
  "OPTIONS_SEMAPHORE_SIZE",
  "OPTIONS_BASE_DELAY",
  "OPTIONS_BACKOFF_MULTIPLIER",
  "OPTIONS_MAX_CONTRACTS"
]

/** The pace of snapshots of options, with what the environment says of it. */
const optionsOf = Effect.fnUntraced(function* (config: TapestryConfig) {
  const said = yield* Effect.forEach(optionsVariables, variable)
  if (!said.some(Option.isSome)) return config.options
  const { optionsSettings } = yield* Effect.promise(() => import("./optionsSettings.ts"))
  const { backoffMultiplier, baseDelay, concurrency, maxContracts } = yield* optionsSettings(config)
  return {
    concurrency: concurrency.value,
    baseDelay: baseDelay.value,
    backoffMultiplier: backoffMultiplier.value,
    maxContracts: maxContracts.value
  }
})

export const settings = Effect.gen(function* () {
  // Loaded when it is needed: the schemas of the configuration are not part of starting up.
  const { defaults, load } = yield* Effect.promise(() => import("../layers/config/TapestryConfig.ts"))
  const configFile = yield* configFileOf
  const config = configFile.value === null ? defaults : yield* load(configFile.value)
  const fromFile = (key: string): Origin => (config.keys.has(key) ? "file" : "default")
  const dataDir = first(
    [
      ["flag", yield* notEmpty("data-dir", yield* DataDir)],
      ["environment", yield* variable("TAPESTRY_DATA_DIR")]
    ],
    { value: config.dataDir, origin: fromFile("dataDir") }
  )
  const logLevel = first<string>(
    [
      ["flag", yield* LogLevelFlag],
      ["environment", yield* environmentLevel]
    ],
    { value: config.logLevel ?? (yield* DefaultLogLevel), origin: fromFile("logLevel") }
  )
  const { origin, value } = yield* storeOf
  const store = { value: value.address, origin }
  const tenant = yield* tenantOf
  return {
    dataDir,
    configFile,
    logLevel,
    store,
    tenant,
    file: config,
    config: {
      ...config,
      store: value.url,
      tenant: tenant.value,
      vendors: yield* vendorsOf(config),
      options: yield* optionsOf(config)
    }
  } satisfies Settings
})
