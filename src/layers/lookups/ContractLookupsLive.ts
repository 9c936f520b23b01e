/**
 * Questions about contracts through the archive: the adapter says what to send and reads what comes, the ingest session does the rest. What there is holds
 * for a day; what stands now is always asked for. Queueing, pacing and the sharing of equal questions are the session's, and over them a snapshot
 * of options has a pace of its own (OptionsPacing).
 */
import { Clock, Effect, Layer } from "effect"
import type { CacheMode } from "../../domain/Request.ts"
import * as ZoneClock from "../../domain/ZoneClock.ts"
import { NotFound, VendorError } from "../../services/Adapter.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import {
  AmbiguousContract,
  ContractLookups,
  ContractLookupsError,
  ExpiryNotListed,
  LookupNotOffered,
  TooManyContracts
} from "../../services/ContractLookups.ts"
import { IngestSession, type IngestSessionError, type OpenIngestSession } from "../../services/IngestSession.ts"
import type { ContractQuery, Lookup, LookupCapability } from "../../services/LookupCapability.ts"
import { chainOf, expirationsOf, expiryText, nearest } from "./nearTheMoney.ts"
import { OptionsPacing } from "./OptionsPacing.ts"
import { snapshotRows } from "./snapshotRows.ts"

const day = 86_400_000
const forADay: CacheMode = { _tag: "default", ttl: day }
const now: CacheMode = { _tag: "bypass" }

const failure = (reason: ContractLookupsError["reason"]) => new ContractLookupsError({ reason })

/** A miss cannot be: the vendor may always be asked. */
const ofIngest = ({ reason }: IngestSessionError) =>
  reason._tag === "CacheMiss" ? Effect.die(reason) : Effect.fail(failure(reason))

/** The date at the underlying's exchange. */
const todayIn = (zone: string | null, at: number): string => {
  const clock = zone === null ? null : ZoneClock.make(zone)
  return new Date(at + (clock?.offsetAt(at) ?? 0)).toISOString().slice(0, 10)
}

const make = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  const ingest = yield* IngestSession
  const pacing = yield* OptionsPacing

  const open = (vendor: string) => Effect.catch(ingest.open({ source: vendor, mode: "sync" }), ofIngest)

  /** `pick` takes the lookup of a name from those that the vendor has. */
  const lookupOf = Effect.fnUntraced(function* <Query, Answer>(
    vendor: string,
    name: keyof LookupCapability,
    pick: (lookups: LookupCapability) => Lookup<Query, Answer> | undefined
  ) {
    const { lookups } = yield* Effect.mapError(registry.resolve(vendor), failure)
    const lookup = lookups === undefined ? undefined : pick(lookups)
    if (lookup !== undefined) return lookup
    return yield* failure(new LookupNotOffered({ vendor, lookup: name, lookups: Object.keys(lookups ?? {}) }))
  })

  const exchange = Effect.fnUntraced(function* <Query, Answer>(
    session: OpenIngestSession,
    lookup: Lookup<Query, Answer>,
    query: Query,
    cacheMode: CacheMode
  ) {
    const request = yield* Effect.mapError(lookup.request(query), failure)
    const { payload, response } = yield* Effect.catch(session.fetch(request, { cacheMode }), ofIngest)
    return { answer: yield* Effect.mapError(lookup.decode(payload, query), failure), at: response.fetchedAt }
  })

  const ask = Effect.fnUntraced(
    function* <Query, Answer>(
      vendor: string,
      name: keyof LookupCapability,
      pick: (lookups: LookupCapability) => Lookup<Query, Answer> | undefined,
      query: Query
    ) {
      const lookup = yield* lookupOf(vendor, name, pick)
      return (yield* exchange(yield* open(vendor), lookup, query, forADay)).answer
    },
    (asked) => Effect.scoped(asked)
  )

  const describe: ContractLookups["Service"]["describe"] = Effect.fn("ContractLookups.describe")(
    function* (vendor, query) {
      const found = yield* ask(vendor, "describe", ({ describe }) => describe, query)
      if (found.length > 0) return found
      return yield* failure(
        new VendorError({ vendor, reason: new NotFound({ message: `no contract ${query.symbol}` }) })
      )
    }
  )

  const only = Effect.fnUntraced(function* (vendor: string, query: ContractQuery) {
    const [one, ...others] = yield* describe(vendor, query)
    if (one !== undefined && others.length === 0) return one
    const names = [...(one === undefined ? [] : [one]), ...others].map(({ name }) => name)
    return yield* failure(new AmbiguousContract({ vendor, symbol: query.symbol, names }))
  })

  const options: ContractLookups["Service"]["options"] = Effect.fn("ContractLookups.options")(
    function* (vendor, { expiry: asked, maxContracts = pacing.maxContracts, ...query }) {
      if (maxContracts > pacing.maxContracts) {
        return yield* failure(new TooManyContracts({ contracts: maxContracts, limit: pacing.maxContracts }))
      }
      const lookup = yield* lookupOf(vendor, "quote", ({ quote }) => quote)
      const underlying = yield* only(vendor, query)
      const chains = yield* ask(vendor, "chain", ({ chain }) => chain, underlying)
      const expirations = expirationsOf(chains, todayIn(underlying.zone, yield* Clock.currentTimeMillis))
      const expiry = asked === undefined ? (expirations[0] ?? null) : expiryText(asked)
      const chain = expiry === null ? undefined : chainOf(chains, expiry, underlying)
      if (expiry === null || chain === undefined) {
        return yield* failure(new ExpiryNotListed({ symbol: underlying.name, expiry, expirations }))
      }
      const session = yield* open(vendor)
      const { answer: at } = yield* exchange(session, lookup, underlying, now)
      const middle = at.bid === null || at.ask === null ? null : (at.bid + at.ask) / 2
      const spot = at.last ?? middle ?? at.close
      const wanted = nearest(underlying, chain, expiry, spot, maxContracts)
      const { omitted, rows } = yield* snapshotRows(wanted, pacing, (one) => exchange(session, lookup, one, now))
      const { exchange: where, multiplier, tradingClass } = chain
      const { currency, name } = underlying
      return {
        vendor,
        underlying: name,
        currency,
        exchange: where,
        tradingClass,
        multiplier,
        expiry,
        spot,
        rows,
        omitted
      }
    },
    (made) => Effect.scoped(made)
  )

  return ContractLookups.of({
    describe,
    search: Effect.fn("ContractLookups.search")(function* (vendor, pattern) {
      return yield* ask(vendor, "search", ({ search }) => search, pattern)
    }),
    chain: Effect.fn("ContractLookups.chain")(function* (vendor, query) {
      return yield* ask(vendor, "chain", ({ chain }) => chain, yield* only(vendor, query))
    }),
    first: Effect.fn("ContractLookups.first")(function* (vendor, query) {
      return yield* ask(vendor, "first", ({ first }) => first, query)
    }),
    options
  })
})

export const layer: Layer.Layer<ContractLookups, never, AdapterRegistry | IngestSession> = Layer.effect(
  ContractLookups,
  make
)
