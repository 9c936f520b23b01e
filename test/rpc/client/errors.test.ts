/**
 * Every error of the contract arrives as itself, over each transport: the contract's schemas are walked for their errors, and one
 * without a row in errorRows.ts fails the test.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, SchemaAST, Stream } from "effect"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import { Border, BorderError } from "../../../src/rpc/contract/Border.ts"
import { TapestryRpcs } from "../../../src/rpc/contract/TapestryRpcs.ts"
import * as Handlers from "../../../src/rpc/handlers/Handlers.ts"
import { ServerInfo } from "../../../src/rpc/handlers/ServerInfo.ts"
import * as HttpListener from "../../../src/rpc/server/HttpListener.ts"
import * as RpcHostLive from "../../../src/rpc/server/RpcHostLive.ts"
import * as SocketListener from "../../../src/rpc/server/SocketListener.ts"
import { VendorError } from "../../../src/services/Adapter.ts"
import { AdapterRegistry, AdapterRegistryError } from "../../../src/services/AdapterRegistry.ts"
import { IngestSession } from "../../../src/services/IngestSession.ts"
import { MarketStore, MarketStoreError } from "../../../src/services/MarketStore.ts"
import { ProvenanceStore, ProvenanceStoreError } from "../../../src/services/ProvenanceStore.ts"
import { Quota, QuotaError } from "../../../src/services/Quota.ts"
import { StitchingCache, StitchingCacheError } from "../../../src/services/StitchingCache.ts"
import * as rows from "./errorRows.ts"
import { clientOf, type Place, place, transports } from "./support.ts"

/** The `_tag`s of the errors in a schema, and of their reasons, and of the reasons of those. */
const tagsIn = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (SchemaAST.isUnion(ast)) return ast.types.flatMap(tagsIn)
  if (!SchemaAST.isObjects(ast)) return []
  return ast.propertySignatures.flatMap(({ name, type }) =>
    name === "_tag" && SchemaAST.isLiteral(type) ? [String(type.literal)] : name === "reason" ? tagsIn(type) : []
  )
}

const ofContract = new Set(
  [...TapestryRpcs.requests.values()]
    .flatMap((rpc) => [rpc.errorSchema, ...[...rpc.middlewares].map((middleware) => middleware.error)])
    .flatMap((schema) => tagsIn(SchemaAST.toEncoded(schema.ast)))
)

/** The error of a row by its place in its table: what a call names it by. */
const nth = <E>(table: Readonly<Record<string, E>>, index: number): Effect.Effect<never, E> => {
  const error = Object.values(table)[index]
  return error === undefined ? Effect.die(new Error(`no row ${index}`)) : Effect.fail(error)
}

const Services = Layer.mergeAll(
  Layer.mock(AdapterRegistry, {
    ping: (vendor) => nth(rows.vendor, Number(vendor)),
    describe: (vendor) => nth(rows.registry, Number(vendor))
  }),
  Layer.mock(ProvenanceStore, {
    session: (id) => nth(rows.archive, id),
    sessions: () => Effect.fail(rows.archive.PayloadDamaged)
  }),
  Layer.mock(Quota, { use: (account) => nth(rows.quota, Number(account)) }),
  Layer.mock(MarketStore, { latest: (options) => nth(rows.market, Number(options?.vendor)) }),
  Layer.mock(StitchingCache, { explain: (_, ts) => nth(rows.cache, ts) }),
  Layer.mock(IngestSession, {}),
  Layer.succeed(ServerInfo, { product: "errors", startedAt: 0 })
)

const isForBorder = Schema.is(Schema.Struct({ vendor: Schema.TemplateLiteral(["border ", Schema.String]) }))
const border = Layer.succeed(Border, (call, { payload }) =>
  isForBorder(payload) ? nth(rows.border, Number(payload.vendor.slice("border ".length))) : call
)

const host = "127.0.0.1"
const serve = (where: Place) =>
  Effect.all([
    SocketListener.listen({ host, port: where.tcp }),
    SocketListener.listen({ path: where.socket }),
    HttpListener.listen({ host, port: where.http, allowedHosts: [], allowedOrigins: [] })
  ])
const Host = RpcHostLive.layer.pipe(Layer.provide([Handlers.layer, border]), Layer.provideMerge(Services))

type Client = TapestryClient["Service"]
const series = {
  vendor: "x",
  dataset: null,
  symbol: "X",
  kind: "bar",
  timeframe: "1d",
  price: "trade",
  session: "all",
  currency: null,
  adjustment: "raw"
} as const

/** For each table, the call that fails with its nth error and catches it by its tag. */
const caught = {
  vendor: (client: Client, n: number) =>
    client["Vendors.ping"]({ vendor: `${n}` }).pipe(Effect.catchTag("VendorError", Effect.succeed)),
  registry: (client: Client, n: number) =>
    client["Vendors.describe"]({ vendor: `${n}` }).pipe(Effect.catchTag("AdapterRegistryError", Effect.succeed)),
  archive: (client: Client, n: number) =>
    client["Archive.session"]({ id: n }).pipe(Effect.catchTag("ProvenanceStoreError", Effect.succeed)),
  quota: (client: Client, n: number) =>
    client["Quota.use"]({ account: `${n}` }).pipe(Effect.catchTag("QuotaError", Effect.succeed)),
  market: (client: Client, n: number) =>
    client["Series.latest"]({ vendor: `${n}` }).pipe(Effect.catchTag("MarketStoreError", Effect.succeed)),
  cache: (client: Client, n: number) =>
    client["Series.explain"]({ series, ts: n }).pipe(Effect.catchTag("StitchingCacheError", Effect.succeed)),
  border: (client: Client, n: number) =>
    client["Vendors.ping"]({ vendor: `border ${n}` }).pipe(
      Effect.catchTag(["ProtocolError", "TooBusy", "InternalError", "ShuttingDown"], Effect.succeed)
    )
}

const Errors = Schema.Union([
  VendorError,
  AdapterRegistryError,
  ProvenanceStoreError,
  QuotaError,
  MarketStoreError,
  StitchingCacheError,
  BorderError
])
const isError = Schema.is(Errors)
const fields = Schema.encodeUnknownEffect(Schema.toCodecJson(Errors))

/** The tags of an error, of its reason, of the reason of that. */
const chain = (error: { readonly _tag: string; readonly reason?: unknown }): ReadonlyArray<string> =>
  isTagged(error.reason) ? [error._tag, ...chain(error.reason)] : [error._tag]
const isTagged = Schema.is(Schema.Struct({ _tag: Schema.String, reason: Schema.optional(Schema.Unknown) }))

describe("the errors of the contract", () => {
  it("each have a row here", () => {
    const shown = Object.values(rows).flatMap((table) => Object.keys(table))
    assert.isAbove(ofContract.size, 40)
    assert.deepStrictEqual([...ofContract].sort(), [...new Set(shown)].sort())
  })

  it("are what the rows say they are", () => {
    for (const table of Object.values(rows)) {
      for (const [tag, error] of Object.entries(table)) {
        assert.include(chain(error), tag)
      }
    }
  })

  for (const transport of transports) {
    it.live(`are caught by their tags over ${transport}`, () =>
      Effect.gen(function* () {
        const where = yield* place
        yield* serve(where)
        yield* Effect.gen(function* () {
          const client = yield* TapestryClient
          for (const [name, call] of Object.entries(caught)) {
            const table = Object.entries(Object.entries(rows).find(([table]) => table === name)?.[1] ?? {})
            assert.isAbove(table.length, 3)
            for (const [index, [tag, sent]] of table.entries()) {
              const had = yield* call(client, index)
              assert.isTrue(isError(had), `${tag} arrived as ${JSON.stringify(had)}`)
              assert.deepStrictEqual(yield* fields(had), yield* fields(sent))
              assert.strictEqual(isError(had) ? had.message : "", sent.message)
            }
          }
          const inStream = yield* client["Archive.sessions"]({}).pipe(
            Stream.runDrain,
            Effect.catchReason("ProvenanceStoreError", "PayloadDamaged", (reason) => Effect.succeed(reason.problem))
          )
          assert.strictEqual(inStream, "torn")
        }).pipe(Effect.provide(clientOf(transport, where)))
      }).pipe(Effect.provide(Host), Effect.scoped)
    )
  }
})
