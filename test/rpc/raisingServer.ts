/**
 * A server whose services fail as they are told: a call that names the path of an error (`VendorError/Throttled`) gets that error,
 * raised where the real service would raise it. The border raises its own, named by a header.
 */
import { Effect, Layer, Stream } from "effect"
import { ConfigKey } from "../../src/domain/ConfigEntry.ts"
import type { SeriesKey } from "../../src/domain/SeriesKey.ts"
import { SessionId } from "../../src/domain/Session.ts"
import * as ModelVendor from "../../src/layers/testing/ModelVendor.ts"
import type { TapestryClient } from "../../src/rpc/client/TapestryClient.ts"
import { AdminOnly } from "../../src/rpc/contract/AdminOnly.ts"
import { Border } from "../../src/rpc/contract/Border.ts"
import * as Handlers from "../../src/rpc/handlers/Handlers.ts"
import { ServerInfo } from "../../src/rpc/handlers/ServerInfo.ts"
import * as HttpListener from "../../src/rpc/server/HttpListener.ts"
import { RpcHost } from "../../src/rpc/server/RpcHost.ts"
import * as RpcHostLive from "../../src/rpc/server/RpcHostLive.ts"
import * as SocketListener from "../../src/rpc/server/SocketListener.ts"
import { AdapterRegistry } from "../../src/services/AdapterRegistry.ts"
import { ApiConfig } from "../../src/services/ApiConfig.ts"
import { BatchProcessor } from "../../src/services/BatchProcessor.ts"
import { Calendar } from "../../src/services/Calendar.ts"
import { ContractLookups } from "../../src/services/ContractLookups.ts"
import { ControlPlane } from "../../src/services/ControlPlane.ts"
import { Imports } from "../../src/services/Imports.ts"
import { JobQueue } from "../../src/services/JobQueue.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { MarketStore } from "../../src/services/MarketStore.ts"
import { MarketStreams } from "../../src/services/MarketStreams.ts"
import { Orders } from "../../src/services/Orders.ts"
import { PreferredVendors } from "../../src/services/PreferredVendors.ts"
import { ProvenanceStore } from "../../src/services/ProvenanceStore.ts"
import { Quota } from "../../src/services/Quota.ts"
import { Reconciliation } from "../../src/services/Reconciliation.ts"
import { Recorder } from "../../src/services/Recorder.ts"
import { StitchingCache } from "../../src/services/StitchingCache.ts"
import { errorInstances, protocolErrors, type RaisedError } from "./errorInstances.ts"
import { seriesOf } from "./handlers/world.ts"
import { socketPath } from "./overTransports.ts"
import type { CallError } from "./provokedErrors.ts"

type Outermost = RaisedError["_tag"]
type Of<Tag extends Outermost> = Extract<RaisedError, { readonly _tag: Tag }>

const isOf =
  <Tag extends Outermost>(tag: Tag) =>
  (error: RaisedError): error is Of<Tag> =>
    error._tag === tag

/** The error of that path; a path that is not of this service's is a mistake of the test, and dies. */
const raise = <Tag extends Outermost>(tag: Tag, path: string): Effect.Effect<never, Of<Tag>> => {
  const error = errorInstances.get(path)
  return error !== undefined && isOf(tag)(error) ? Effect.fail(error) : Effect.die(new Error(`no ${tag}: ${path}`))
}

const host = "127.0.0.1"

const services = Layer.mergeAll(
  Layer.mock(StitchingCache, {
    resolve: (vendor) => raise("StitchingCacheError", vendor),
    read: ({ series }) => raise("StitchingCacheError", series.vendor)
  }),
  Layer.mock(AdapterRegistry, {
    // Of every error of the quota there is an account.
    list: Effect.succeed([...errorInstances.keys()].filter((path) => path.startsWith("QuotaError/"))),
    resolve: (path) => Effect.succeed(ModelVendor.make({ account: path }).adapter),
    describe: (vendor) => raise("AdapterRegistryError", vendor),
    ping: (vendor) => raise("VendorError", vendor)
  }),
  Layer.mock(MarketStore, {
    revisions: (series) => Stream.fromEffect(raise("MarketStoreError", series.vendor))
  }),
  Layer.mock(ProvenanceStore, { payload: (sha256) => raise("ProvenanceStoreError", sha256) }),
  Layer.mock(Maintenance, { gc: ({ retention }) => raise("MaintenanceError", retention.source ?? "") }),
  Layer.mock(PreferredVendors, {
    plan: ({ vendors }) => raise("PreferredVendorsError", vendors[0]?.vendor ?? ""),
    read: ({ vendors }) => raise("PreferredVendorsError", vendors[0]?.vendor ?? "")
  }),
  Layer.mock(Reconciliation, {
    reconcile: ({ left }) => raise("ReconciliationError", left.vendor),
    mismatches: (left) => Stream.fromEffect(raise("ReconciliationError", left.vendor))
  }),
  Layer.mock(Imports, { end: (_, __, reason) => raise("ImportsError", reason ?? "") }),
  Layer.mock(JobQueue, { get: (job) => raise("JobQueueError", job) }),
  Layer.mock(MarketStreams, {
    keys: ({ vendor }) => raise("MarketStreamsError", vendor),
    items: ({ vendor }) => Stream.fromEffect(raise("MarketStreamsError", vendor))
  }),
  Layer.mock(Recorder, { record: ({ vendor }) => Stream.fromEffect(raise("RecorderError", vendor)) }),
  Layer.mock(ContractLookups, { describe: (vendor) => raise("ContractLookupsError", vendor) }),
  Layer.mock(Orders, {
    place: (vendor) => raise("OrdersError", vendor),
    cancel: (vendor) => raise("OrdersError", vendor),
    list: (vendor) => raise("OrdersError", vendor)
  }),
  Layer.mock(Calendar, { get: (name) => raise("CalendarError", name) }),
  Layer.mock(ApiConfig, { get: (key) => raise("ApiConfigError", key) }),
  Layer.mock(BatchProcessor, {}),
  Layer.mock(ControlPlane, {}),
  Layer.mock(Quota, { use: (account) => raise("QuotaError", account) }),
  Layer.succeed(ServerInfo, { product: "0.0.0-test", startedAt: 0 })
)

const isBorderError = (error: RaisedError) =>
  isOf("ProtocolError")(error) ||
  isOf("TooBusy")(error) ||
  isOf("InternalError")(error) ||
  isOf("ShuttingDown")(error) ||
  isOf("TenantError")(error)

const border = Layer.succeed(Border, (call, { headers }) => {
  const code = protocolErrors().find((error) => error.code === headers["x-code"])
  if (code !== undefined) return Effect.fail(code)
  const path = headers["x-raise"]
  const error = path === undefined ? undefined : errorInstances.get(path)
  return error !== undefined && isBorderError(error) ? Effect.fail(error) : call
})

const adminOnly = Layer.succeed(AdminOnly, (call, { headers }) =>
  headers["x-raise"] === undefined ? call : raise("AdminError", headers["x-raise"])
)

/** Where it listens, on free ports; until the scope closes. */
export const raisingServer = Effect.gen(function* () {
  const context = yield* Layer.build(
    RpcHostLive.layer().pipe(Layer.provide([Handlers.layer, border, adminOnly]), Layer.provideMerge(services))
  )
  return yield* Effect.gen(function* () {
    const path = yield* socketPath
    yield* SocketListener.listen({ path })
    const tcp = yield* SocketListener.listen({ host, port: 0 })
    const http = yield* HttpListener.listen({ host, port: 0, allowedHosts: [], allowedOrigins: [] })
    const portOf = ({ address }: typeof tcp) => ({ host, port: address._tag === "UnixPathAddress" ? 0 : address.port })
    yield* Effect.addFinalizer(() => Effect.flatMap(RpcHost, ({ drain }) => drain).pipe(Effect.provideContext(context)))
    return { tcp: portOf(tcp), http: portOf(http), socket: path }
  }).pipe(Effect.provideContext(context))
})

const seriesBy = (vendor: string): SeriesKey => ({ ...seriesOf("ALPHA", "1d"), vendor })
const range = { start: 0, end: 86_400_000 }
const query = { symbol: "ALPHA", kind: "bar", timeframe: "1d" } as const
const someOrder = {
  symbol: "ALPHA",
  currency: null,
  side: "buy",
  quantity: 1,
  limit: null,
  timeInForce: "day",
  account: null
} as const

type Client = TapestryClient["Service"]

/** The call, or calls, that can carry an error of a service. */
export const carriers: {
  readonly [Tag in Outermost]: (client: Client, path: string) => ReadonlyArray<Effect.Effect<unknown, CallError>>
} = {
  AdminError: (client, path) => [client["Admin.migrate"](undefined, { headers: { "x-raise": path } })],
  ApiConfigError: (client, path) => [client["Store.configValue"]({ key: ConfigKey.make(path) })],
  StitchingCacheError: (client, path) => [
    client["Series.resolve"]({ vendor: path, query }),
    Stream.runDrain(client["Series.bars"]({ series: seriesBy(path), range })),
    Stream.runDrain(client["Series.read"]({ series: seriesBy(path), range }))
  ],
  VendorError: (client, path) => [client["Vendors.ping"]({ vendor: path })],
  AdapterRegistryError: (client, path) => [client["Vendors.describe"]({ vendor: path })],
  MarketStoreError: (client, path) => [Stream.runDrain(client["Series.revisions"]({ series: seriesBy(path), range }))],
  ProvenanceStoreError: (client, path) => [Stream.runDrain(client["Archive.payload"]({ sha256: path }))],
  MaintenanceError: (client, path) => [
    Stream.runDrain(client["Archive.gc"]({ retention: { age: 0, ages: {}, bytes: null, source: path }, apply: false }))
  ],
  PreferredVendorsError: (client, path) => {
    const asked = {
      vendors: [{ vendor: path, symbol: "ALPHA" }],
      query: { kind: "bar", timeframe: "1d" },
      range
    } as const
    return [
      client["Preferred.plan"](asked),
      client["Preferred.read"](asked),
      Stream.runDrain(client["Preferred.bars"](asked))
    ]
  },
  ReconciliationError: (client, path) => {
    const pair = { left: seriesBy(path), right: seriesBy("other"), range }
    return [
      Stream.runDrain(client["Reconcile.run"]({ ...pair, tolerances: {} })),
      Stream.runDrain(client["Reconcile.mismatches"](pair))
    ]
  },
  CalendarError: (client, path) => [Stream.runDrain(client["Calendar.sessions"]({ name: path, range }))],
  ImportsError: (client, path) => [
    client["Import.end"]({ session: SessionId.make(1), outcome: "failed", reason: path })
  ],
  JobQueueError: (client, path) => [client["Jobs.get"]({ job: path })],
  MarketStreamsError: (client, path) => [
    client["Streams.keys"]({ vendor: path, streams: [] }),
    Stream.runDrain(client["Streams.subscribe"]({ vendor: path, streams: [] }))
  ],
  RecorderError: (client, path) => [Stream.runDrain(client["Streams.record"]({ vendor: path, streams: [] }))],
  ContractLookupsError: (client, path) => [client["Contracts.describe"]({ vendor: path, symbol: "A" })],
  OrdersError: (client, path) => [
    client["Orders.place"]({ vendor: path, key: "desk-1", order: someOrder }),
    client["Orders.cancel"]({ vendor: path, order: 1, client: null }),
    client["Orders.list"]({ vendor: path })
  ],
  QuotaError: (client, path) => [client["Quota.use"]({ account: path })],
  ProtocolError: (client, path) => raisedByBorder(client, path),
  TooBusy: (client, path) => raisedByBorder(client, path),
  InternalError: (client, path) => raisedByBorder(client, path),
  ShuttingDown: (client, path) => raisedByBorder(client, path),
  TenantError: (client, path) => raisedByBorder(client, path)
}

const raisedByBorder = (client: Client, path: string) => [
  client["System.hello"](undefined, { headers: { "x-raise": path } }),
  Stream.runDrain(client["Series.list"](undefined, { headers: { "x-raise": path } }))
]
