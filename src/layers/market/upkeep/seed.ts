/**
 * What a deployment should have, as one document: tenants, and with TimescaleDB chunks, compression, retention and aggregates. Only what
 * differs is changed, so that it may be run before each start; what it does not name stays as it is.
 */
import { Effect, Schema } from "effect"
import { derivedTimeframes } from "../../../domain/derivedTimeframes.ts"
import { TenantName } from "../../../domain/Tenant.ts"
import { Timeframe } from "../../../domain/Timeframe.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { Retention } from "../../../services/StorePolicies.ts"
import type { TenantsError } from "../../../services/Tenants.ts"
import { Millis } from "../../config/units.ts"
import { chunkedTables } from "../postgres/timescale/chunkedTables.ts"
import { shortestRetention } from "../postgres/timescale/policies.ts"
import { expectPolicies } from "./expectCurrent.ts"
import type { StoreUpkeep } from "./StoreUpkeep.ts"

/** As commands call them. */
const kinds = {
  bars: "bar",
  trades: "trade",
  quotes: "quote",
  statistics: "statistic",
  fundamentals: "fundamental",
  news: "news",
  options: "option",
  signals: "signal"
} as const

const names = Object.keys(kinds)
const kept = new Set([...names, ...Timeframe.literals.map((timeframe) => `bars ${timeframe}`)])

/** A name of these. */
const oneOf = (known: ReadonlySet<string>, what: string) =>
  Schema.String.check(Schema.makeFilter((name) => known.has(name) || `not ${what}`))

const Table = oneOf(new Set(chunkedTables.map(({ table }) => table)), "a table of rows or of revisions")
const Kept = oneOf(kept, `a kind (${names.join(", ")}), or bars of one timeframe ("bars 1m")`)
const Derived = oneOf(new Set(derivedTimeframes), `one of ${derivedTimeframes.join(", ")}`)
const aged = <K extends Schema.Record.Key>(key: K, least = 1_000) =>
  Schema.optionalKey(Schema.Record(key, Millis.check(Schema.isGreaterThanOrEqualTo(least))))

export const StoreSeed = Schema.Struct({
  tenants: Schema.optionalKey(Schema.Array(TenantName)),
  /** What a new chunk of a table spans. */
  chunks: aged(Table),
  /** The age at which chunks of a table are compressed. */
  compress: aged(Table),
  /** The age at which rows of a kind go. */
  retention: aged(Kept, shortestRetention),
  /** How often bars of a timeframe are made anew of those of a minute. */
  aggregates: aged(Derived)
})
export interface StoreSeed extends Schema.Schema.Type<typeof StoreSeed> {}

/** What was done, in the words of the commands that do the same. */
export interface Seeded {
  readonly done: ReadonlyArray<string>
}

const retentionOf = (of: string): Retention => {
  const [kind = "", timeframe = null] = of.split(" ")
  return { kind: kinds[kind as keyof typeof kinds], timeframe }
}

/** As the list of policies calls it. */
const listed = ({ kind, timeframe }: Retention): string => (timeframe === null ? kind : `${kind} ${timeframe}`)

const entries = <A>(of: Readonly<Record<string, A | undefined>> | undefined): ReadonlyArray<readonly [string, A]> =>
  Object.entries(of ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))

const seedPolicies = Effect.fnUntraced(function* (upkeep: StoreUpkeep, seed: StoreSeed) {
  const policies = yield* expectPolicies(upkeep)
  const done: Array<string> = []
  const made = yield* policies.apply
  if (made.length > 0) done.push(`policies apply: ${made.join(", ")}`)
  const tables = new Map((yield* policies.hypertables).map(({ chunkMillis, table }) => [table, chunkMillis]))
  const standing = yield* policies.policies
  const set = (action: string, of: string) => standing.find((one) => one.action === action && one.of === of)
  for (const [table, millis] of entries(seed.chunks)) {
    if (tables.get(table) === millis) continue
    yield* policies.setChunks(table, millis)
    done.push(`policies chunks ${table}`)
  }
  for (const [table, millis] of entries(seed.compress)) {
    if (set("compress", table)?.afterMillis === millis) continue
    yield* policies.setCompression(table, millis)
    done.push(`compress set ${table}`)
  }
  for (const timeframe of derivedTimeframes) {
    const millis = seed.aggregates?.[timeframe]
    if (millis === undefined || set("refresh", timeframe)?.everyMillis === millis) continue
    yield* policies.addAggregate(timeframe, millis)
    done.push(`aggregates add ${timeframe}`)
  }
  for (const [name, millis] of entries(seed.retention)) {
    const of = retentionOf(name)
    if (set("retention", listed(of))?.afterMillis === millis) continue
    yield* policies.setRetention(of, millis)
    done.push(`retention set ${name}`)
  }
  return done
})

export const seedStore: (
  upkeep: StoreUpkeep,
  seed: StoreSeed
) => Effect.Effect<Seeded, MarketStoreError | TenantsError> = Effect.fnUntraced(function* (upkeep, seed) {
  const done: Array<string> = []
  const ran = yield* upkeep.migrate
  if (ran.length > 0) done.push(`migrate: ${ran.join(", ")}`)
  const wanted = seed.tenants ?? []
  const known = new Set(wanted.length === 0 ? [] : (yield* upkeep.tenants.list).map(({ name }) => name))
  for (const name of wanted) {
    if (known.has(name)) continue
    yield* upkeep.tenants.add(name)
    known.add(name)
    done.push(`tenants add ${name}`)
  }
  const { aggregates, chunks, compress, retention } = seed
  if ([aggregates, chunks, compress, retention].some((part) => part !== undefined)) {
    done.push(...(yield* seedPolicies(upkeep, seed)))
  }
  return { done }
})
