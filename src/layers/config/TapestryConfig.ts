/**
 * `tapestry.yaml`: what it may say, and how it is read. The precedence flag, environment, file, default is the command line's;
 * here is the file's part, with `keys` telling which values the file really gave.
 */
import { Effect, FileSystem, Path, type Redacted, Result, Schema } from "effect"
import type { CalendarRules } from "../../domain/calendar/CalendarRules.ts"
import { defaultTenant, type TenantName } from "../../domain/Tenant.ts"
import type { Retention } from "../../services/ProvenanceStore.ts"
import { decodeVendor, type VendorConfig } from "../adapters/VendorConfig.ts"
import { type BatchConfig, BatchSpec, batchDefaults, resolveBatch } from "../batch/BatchConfig.ts"
import { builtIn } from "../calendar/builtIn.ts"
import { resolveCalendars } from "../calendar/resolveCalendars.ts"
import { type OptionsPacingValue, OptionsSpec, optionsDefaults } from "../lookups/OptionsPacing.ts"
import { resolvePreferences, type VendorPreference, VendorPreferenceSpec } from "../preferred/VendorPreference.ts"
import { type ReconcileRule, ReconcileRuleSpec, resolveRules } from "../reconcile/ReconcileRule.ts"
import { ConfigurationError, type ConfigurationProblem } from "./ConfigurationError.ts"
import { type FeedLimits, feedDefaults, feedKeys } from "./FeedLimits.ts"
import { type DocumentProblem, problemsOf } from "./issueProblems.ts"
import { ListenAddress } from "./ListenAddress.ts"
import { parseYaml } from "./parseYaml.ts"
import { type ConfiguredChange, resolveSymbolChanges, SymbolChangeSpec } from "./symbolChanges.ts"
import { ByteCount, Millis } from "./units.ts"
import { lineOf, yamlLines } from "./yamlLines.ts"

export const LogLevel = Schema.Literals(["all", "trace", "debug", "info", "warn", "error", "fatal", "none"])
export type LogLevel = typeof LogLevel.Type

const Rows = Schema.Int.check(Schema.isGreaterThan(0)).annotate({ expected: "a whole number of rows above 0" })

const Names = Schema.Array(Schema.NonEmptyString).annotate({ expected: "a list of names" })

/** The document. A vendor's own part is decoded by the schema of its adapter. */
const Document = Schema.Struct({
  dataDir: Schema.optionalKey(Schema.NonEmptyString.annotate({ expected: "a directory" })),
  logLevel: Schema.optionalKey(LogLevel),
  sample: Schema.optionalKey(Schema.Boolean.annotate({ expected: "true or false" })),
  limits: Schema.optionalKey(
    Schema.Struct({
      maxRows: Schema.optionalKey(Rows),
      payloadLimit: Schema.optionalKey(ByteCount),
      minFree: Schema.optionalKey(ByteCount)
    })
  ),
  archive: Schema.optionalKey(
    Schema.Struct({
      retention: Schema.optionalKey(
        Schema.Struct({
          age: Schema.optionalKey(Millis),
          size: Schema.optionalKey(ByteCount),
          sources: Schema.optionalKey(
            Schema.Record(Schema.String, Millis).annotate({ expected: "a mapping of vendor names to ages" })
          )
        })
      )
    })
  ),
  serve: Schema.optionalKey(
    Schema.Struct({
      http: Schema.optionalKey(ListenAddress),
      tcp: Schema.optionalKey(ListenAddress),
      allowedHosts: Schema.optionalKey(Names),
      allowedOrigins: Schema.optionalKey(Names),
      ...feedKeys
    })
  ),
  batch: Schema.optionalKey(BatchSpec),
  options: Schema.optionalKey(OptionsSpec),
  calendars: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Unknown).annotate({ expected: "a mapping of calendar names" })
  ),
  preferences: Schema.optionalKey(
    Schema.Record(Schema.String, VendorPreferenceSpec).annotate({ expected: "a mapping of names to vendors" })
  ),
  reconcile: Schema.optionalKey(Schema.Array(ReconcileRuleSpec).annotate({ expected: "a list of rules" })),
  aliases: Schema.optionalKey(Schema.Array(SymbolChangeSpec).annotate({ expected: "a list of symbol changes" })),
  vendors: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Unknown).annotate({ expected: "a mapping of vendor names" })
  )
}).annotate({ expected: "a mapping with keys such as dataDir and vendors" })
type Document = typeof Document.Type

/** What `serve` listens on, and whom it answers; null: not at all. */
export interface ServeConfig {
  readonly http: ListenAddress | null
  readonly tcp: ListenAddress | null
  /** Host names beside those of loopback under which HTTP and WebSocket may be asked. */
  readonly allowedHosts: ReadonlyArray<string>
  /** Origins beside the same one whose pages may ask. */
  readonly allowedOrigins: ReadonlyArray<string>
  /** What holds for each client of a JSON feed. */
  readonly feeds: FeedLimits
}

/** A configuration with everything filled in. Paths that came from a file are absolute. */
export interface TapestryConfig {
  /** Null when no file was read. */
  readonly file: string | null
  readonly dataDir: string
  /** Null: each command has its own default, `info` for `serve` and `warn` for the others. */
  readonly logLevel: LogLevel | null
  /** Whether the vendor `sample` is registered. */
  readonly sample: boolean
  /** Most rows of one answer. */
  readonly maxRows: number
  /** Bytes of the disk that no fetch may use up. */
  readonly minFree: number
  /**
   * URL of the PostgreSQL database that has the market store; null: market.sqlite in the data directory. Not a key of the file, since
   * it may hold a password: the flag or the environment says it.
   */
  readonly store: Redacted.Redacted | null
  /** Whose rows and archive. Not a key of the file, which several tenants may share: the flag or the environment says it. */
  readonly tenant: TenantName
  /** What the archive is opened with; sizes in bytes. */
  readonly archive: { readonly payloadLimit: number }
  /** What `archive gc` may remove where its flags do not say otherwise. */
  readonly retention: Omit<Retention, "source">
  readonly serve: ServeConfig
  /** How rows that come one by one are gathered. */
  readonly batch: BatchConfig
  /** How the contracts of a snapshot of options are asked for. */
  readonly options: OptionsPacingValue
  /** Trading calendars beside those that come with Tapestry. */
  readonly calendars: ReadonlyArray<CalendarRules>
  /** Symbols that became others. */
  readonly aliases: ReadonlyArray<ConfiguredChange>
  readonly vendors: ReadonlyArray<VendorConfig>
  /** Names under which several vendors are asked. */
  readonly preferences: ReadonlyArray<VendorPreference>
  /** Pairs of vendors that are compared whenever bars arrive. */
  readonly reconcile: ReadonlyArray<ReconcileRule>
  /** The keys that the file itself sets (`dataDir`, `limits.maxRows`); all others are defaults. */
  readonly keys: ReadonlySet<string>
}

/** What holds without a file. */
export const defaults: TapestryConfig = {
  file: null,
  dataDir: ".tapestry",
  logLevel: null,
  sample: true,
  maxRows: 10_000_000,
  minFree: 64 * 1_048_576,
  store: null,
  tenant: defaultTenant.name,
  archive: { payloadLimit: 64 * 1_048_576 },
  retention: { age: 30 * 86_400_000, ages: {}, bytes: null },
  serve: {
    http: { host: "127.0.0.1", port: 7070 },
    tcp: { host: "127.0.0.1", port: 7000 },
    allowedHosts: [],
    allowedOrigins: [],
    feeds: feedDefaults
  },
  batch: batchDefaults,
  options: optionsDefaults,
  calendars: [],
  aliases: [],
  vendors: [],
  preferences: [],
  reconcile: [],
  keys: new Set()
}

const inWords = (value: unknown): string => {
  if (value === undefined) return "nothing"
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

const valueAt = (document: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined,
    document
  )

const entriesOf = (mapping: unknown): ReadonlyArray<[string, unknown]> =>
  typeof mapping === "object" && mapping !== null && !Array.isArray(mapping) ? Object.entries(mapping) : []

const failed = (file: string, problems: ReadonlyArray<ConfigurationProblem>): ConfigurationError | null => {
  // Two checks of one value may say the same.
  const different = new Map(problems.map((problem) => [JSON.stringify(problem), problem]))
  const [first, ...rest] = [...different.values()].toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
  return first === undefined ? null : new ConfigurationError({ file, problems: [first, ...rest] })
}

const unreadable = (file: string, found: string, remedy: string): ConfigurationError =>
  new ConfigurationError({
    file,
    problems: [{ path: "", line: null, expected: "a readable YAML file", found, remedy }]
  })

const keysOf = (document: Document): ReadonlySet<string> => {
  const { archive, batch, calendars, limits, options, serve, vendors } = document
  const sections = { archive, batch, limits, options, serve, calendars, vendors }
  const keys = new Set<string>(Object.keys(document).filter((key) => !Object.hasOwn(sections, key)))
  for (const [section, values] of Object.entries(sections)) {
    for (const key of Object.keys(values ?? {})) keys.add(`${section}.${key}`)
  }
  return keys
}

/** A size alone asks for no age. */
const retentionOf = ({ archive }: Document): TapestryConfig["retention"] => {
  const { age, size, sources } = archive?.retention ?? {}
  return {
    age: age ?? (size === undefined ? defaults.retention.age : null),
    ages: sources ?? {},
    bytes: size ?? null
  }
}

const serveOf = ({ serve = {} }: Document): ServeConfig => {
  const { wsHeartbeatInterval, wsMaxMessagesPerSecond, wsMaxQueueSize, ...others } = serve
  return {
    ...defaults.serve,
    ...others,
    feeds: {
      maxQueueSize: wsMaxQueueSize ?? feedDefaults.maxQueueSize,
      maxMessagesPerSecond: wsMaxMessagesPerSecond ?? feedDefaults.maxMessagesPerSecond,
      heartbeatInterval: wsHeartbeatInterval ?? feedDefaults.heartbeatInterval
    }
  }
}

/** The bundled vendor and one of the file would have one name. */
const sampleTaken: DocumentProblem = {
  path: ["vendors", "sample"],
  expected: "another name",
  found: "the name of the bundled sample",
  remedy: "rename it, or give the sample up with sample: false"
}

const decodeDocument = Schema.decodeUnknownResult(Document, { errors: "all", onExcessProperty: "error" })

/**
 * The configuration that the text of `file` means. Relative paths start from the directory of the file; an empty document
 * means the defaults.
 */
export const decode = (
  file: string,
  text: string,
  path: Path.Path
): Result.Result<TapestryConfig, ConfigurationError> =>
  Result.gen(function* () {
    const parsed = Result.mapError(
      parseYaml(text),
      ({ line, found }) =>
        new ConfigurationError({ file, problems: [{ path: "", line, expected: "YAML", found, remedy: null }] })
    )
    const raw = (yield* parsed) ?? {}
    const lines = yamlLines(text)
    const placed = (problem: DocumentProblem): ConfigurationProblem => ({
      path: problem.path.join("."),
      line: lineOf(lines, problem.path),
      expected: problem.expected,
      found: problem.found ?? inWords(valueAt(raw, problem.path)),
      remedy: problem.remedy
    })
    const decoded = decodeDocument(raw)
    const problems = Result.isFailure(decoded) ? problemsOf(decoded.failure.issue).map(placed) : []
    const document: Document = Result.isFailure(decoded) ? {} : decoded.success
    const baseDir = path.dirname(path.resolve(file))
    const payloadLimit = document.limits?.payloadLimit ?? defaults.archive.payloadLimit
    const named = entriesOf(valueAt(raw, ["calendars"])).map(([name]) => name)
    const knownCalendars = [...new Set([...builtIn.map(({ name }) => name), ...named])].toSorted()
    const vendors: Array<VendorConfig> = []
    // Vendors are looked at whatever else is wrong, so that all mistakes of the file are named at once.
    for (const [name, part] of entriesOf(valueAt(raw, ["vendors"]))) {
      Result.match(decodeVendor(name, part, { baseDir, path, payloadLimit, calendars: knownCalendars }), {
        onFailure: (found) => problems.push(...found.map(placed)),
        onSuccess: (vendor) => vendors.push(vendor)
      })
      if (name === "sample" && document.sample !== false) problems.push(placed(sampleTaken))
    }
    /** What a section means; where it is wrong, its mistakes are named and it counts as empty. */
    const section = <A>(resolved: Result.Result<ReadonlyArray<A>, ReadonlyArray<DocumentProblem>>): ReadonlyArray<A> =>
      Result.getOrElse(resolved, (found) => {
        problems.push(...found.map(placed))
        return []
      })
    const calendars = section(resolveCalendars(document.calendars ?? {}))
    const written = entriesOf(valueAt(raw, ["vendors"])).map(([name]) => name)
    const vendorNames = document.sample === false ? written : ["sample", ...written]
    const preferences = section(resolvePreferences(document.preferences ?? {}, vendorNames))
    const reconcile = section(resolveRules(document.reconcile ?? [], vendorNames))
    const aliases = section(resolveSymbolChanges(document.aliases ?? [], written))
    const batch = Result.getOrElse(resolveBatch(document.batch ?? {}, baseDir, path), (found) => {
      problems.push(...found.map(placed))
      return batchDefaults
    })
    const error = failed(file, problems)
    if (error !== null) return yield* Result.fail(error)
    return {
      file,
      dataDir: document.dataDir === undefined ? defaults.dataDir : path.resolve(baseDir, document.dataDir),
      logLevel: document.logLevel ?? defaults.logLevel,
      sample: document.sample ?? defaults.sample,
      maxRows: document.limits?.maxRows ?? defaults.maxRows,
      minFree: document.limits?.minFree ?? defaults.minFree,
      store: defaults.store,
      tenant: defaults.tenant,
      archive: { payloadLimit },
      retention: retentionOf(document),
      serve: serveOf(document),
      batch,
      options: { ...optionsDefaults, ...document.options },
      calendars,
      aliases,
      vendors,
      preferences,
      reconcile,
      keys: keysOf(document)
    }
  })

/** Reads and checks a configuration file. */
export const load = Effect.fn("TapestryConfig.load")(function* (
  file: string
): Effect.fn.Return<TapestryConfig, ConfigurationError, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const text = yield* fs
    .readFileString(file)
    .pipe(
      Effect.mapError((error) =>
        error.reason._tag === "NotFound"
          ? unreadable(file, "no such file", "give another with --config, or make it")
          : error.reason._tag === "PermissionDenied"
            ? unreadable(file, "no right to read it", "give this user the right, or give another with --config")
            : unreadable(file, "something else (a directory?)", "give another with --config")
      )
    )
  return yield* Effect.fromResult(decode(file, text, path))
})
