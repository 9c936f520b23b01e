/**
 * Questions about contracts through the archive: the adapter says what to send and reads what comes, the ingest session does the rest. Answers
 * hold for a day; queueing, pacing and the sharing of equal questions are the session's.
 */
import { Effect, Layer } from "effect"
import { NotFound, VendorError } from "../../services/Adapter.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import {
  AmbiguousContract,
  ContractLookups,
  ContractLookupsError,
  LookupNotOffered
} from "../../services/ContractLookups.ts"
import { IngestSession, type IngestSessionError } from "../../services/IngestSession.ts"
import type { ContractQuery, Lookup, LookupCapability } from "../../services/LookupCapability.ts"

const day = 86_400_000

const failure = (reason: ContractLookupsError["reason"]) => new ContractLookupsError({ reason })

/** A miss cannot be: the vendor may always be asked. */
const ofIngest = ({ reason }: IngestSessionError) =>
  reason._tag === "CacheMiss" ? Effect.die(reason) : Effect.fail(failure(reason))

const make = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  const ingest = yield* IngestSession

  /** `pick` takes the lookup of a name from those that the vendor has. */
  const ask = Effect.fnUntraced(
    function* <Query, Answer>(
      vendor: string,
      name: keyof LookupCapability,
      pick: (lookups: LookupCapability) => Lookup<Query, Answer> | undefined,
      query: Query
    ) {
      const { lookups } = yield* Effect.mapError(registry.resolve(vendor), failure)
      const lookup = lookups === undefined ? undefined : pick(lookups)
      if (lookup === undefined) {
        return yield* failure(new LookupNotOffered({ vendor, lookup: name, lookups: Object.keys(lookups ?? {}) }))
      }
      const request = yield* Effect.mapError(lookup.request(query), failure)
      const session = yield* Effect.catch(ingest.open({ source: vendor, mode: "sync" }), ofIngest)
      const { payload } = yield* Effect.catch(
        session.fetch(request, { cacheMode: { _tag: "default", ttl: day } }),
        ofIngest
      )
      return yield* Effect.mapError(lookup.decode(payload, query), failure)
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
    })
  })
})

export const layer: Layer.Layer<ContractLookups, never, AdapterRegistry | IngestSession> = Layer.effect(
  ContractLookups,
  make
)
