/** What the calls of one tenant show and change, a row for each procedure of the contract: a new one does not compile without. */
import { Effect, Option, Stream } from "effect"
import type { Rpc, RpcGroup } from "effect/rpc"
import { ConfigKey } from "../../../src/domain/ConfigEntry.ts"
import type { JobSpec } from "../../../src/domain/Job.ts"
import { JobId } from "../../../src/domain/Job.ts"
import { SessionId } from "../../../src/domain/Session.ts"
import type { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import type { TapestryRpcs } from "../../../src/rpc/contract/TapestryRpcs.ts"
import type { ImportSpec } from "../../../src/services/Imports.ts"
import { between, seriesOf, utc } from "../handlers/world.ts"

export type Client = TapestryClient["Service"]
type Tag = Rpc.Tag<RpcGroup.Rpcs<typeof TapestryRpcs>>

/** What one tenant has, as nobody else should be able to use it. */
export interface Known {
  readonly session: number
  readonly request: number
  readonly response: number
  readonly sha256: string
  readonly identity: string
  readonly job: JobId
  readonly running: JobId
  readonly importing: SessionId
  readonly knownAt: number
}

type Asked = Effect.Effect<unknown, unknown>
type Call = (client: Client, known: Known) => Asked

export type Row =
  /** Shows something of whom it belongs to. */
  | { readonly kind: "shows"; readonly call: Call }
  /** Changes something; tried with one's own numbers and with the other's. */
  | { readonly kind: "changes"; readonly call: Call }
  /** Of the deployment, and the same for everybody. */
  | { readonly kind: "same"; readonly call: Call }
  /** Begins something that is looked at by others, or works on bytes that belong to nobody. */
  | { readonly kind: "leaves"; readonly call: Call }
  /** Refused to who names a tenant. */
  | { readonly kind: "refused"; readonly call: Call }

const shows = (call: Call): Row => ({ kind: "shows", call })
const changes = (call: Call): Row => ({ kind: "changes", call })
const same = (call: Call): Row => ({ kind: "same", call })
const leaves = (call: Call): Row => ({ kind: "leaves", call })
const refused = (call: Call): Row => ({ kind: "refused", call })

export const alpha = seriesOf("ALPHA", "1h")
export const beta = seriesOf("BETA", "1h")
export const hours = between("2024-03-04T00:00Z", "2024-03-04T06:00Z")
const all = Stream.runCollect
const stored = { series: alpha, range: hours, policy: "cacheOnly", onMissing: "partial" } as const
const prints = {
  series: { ...alpha, kind: "trade", timeframe: null },
  range: { start: hours.start, end: hours.start + 60_000 }
} as const
const quotes = { ...prints, series: { ...prints.series, kind: "quote", dataset: "ticks" } } as const
const preferred = {
  vendors: [{ vendor: "model", symbol: "ALPHA" }],
  query: { kind: "bar", timeframe: "1h" },
  range: hours,
  policy: "cacheOnly"
} as const
const live = { vendor: "model", streams: [{ symbol: "ALPHA", kind: "trades" }] } as const
const order = {
  symbol: "ALPHA",
  currency: null,
  side: "buy",
  quantity: 1,
  limit: null,
  timeInForce: "day",
  account: null
} as const
const key = ConfigKey.make("desk/limits")

export const jobSpec = (name: string): JobSpec => ({
  key: name,
  type: "backfill",
  payload: { vendor: "model", symbols: ["ALPHA"], timeframe: "1h", range: { ...hours } }
})

export const importSpec: ImportSpec = {
  name: "ticks",
  kind: "trade",
  format: "ndjson",
  header: null,
  delimiter: ",",
  nullToken: "",
  defaults: {
    vendor: "import-desk",
    dataset: null,
    symbol: "alpha",
    timeframe: null,
    price: null,
    session: null,
    currency: null,
    adjustment: null
  },
  symbolCase: "upper",
  nulls: "overwrite",
  unknownColumns: "refuse",
  rejects: "skip"
}
export const segmentOf = (session: number, price: number, offset = 0) => ({
  session: SessionId.make(session),
  spec: importSpec,
  offset,
  line: 1,
  bytes: new TextEncoder().encode(`{"tsNs":"${1 + offset}","price":${price}}\n`)
})
export const barsOf = (close: number, symbol = "DESK") => ({
  kind: "bar" as const,
  rows: [{ ts: "2024-03-04T00:00:00Z", open: close, high: close, low: close, close, volume: null }],
  defaults: { vendor: "import-bars", symbol, timeframe: "1m" }
})
const everything = { age: 0, ages: {}, bytes: null, source: null }

export const rows: { readonly [K in Tag]: Row } = {
  "System.hello": same((client) => client["System.hello"]()),
  "System.health": same((client) => client["System.health"]()),
  "Vendors.list": same((client) => client["Vendors.list"]()),
  "Vendors.describe": same((client) => client["Vendors.describe"]({ vendor: "model" })),
  "Vendors.ping": same((client) => client["Vendors.ping"]({ vendor: "model" })),
  "Vendors.symbols": same((client) => all(client["Vendors.symbols"]({ vendor: "model" }))),
  "Vendors.sessions": same((client) => client["Vendors.sessions"]()),
  "Vendors.session": same((client) => all(client["Vendors.session"]({ vendor: "model" }))),
  "Calendar.list": same((client) => client["Calendar.list"]()),
  "Calendar.sessions": same((client) => all(client["Calendar.sessions"]({ name: "XNYS", range: hours }))),
  "Calendar.closures": same((client) => all(client["Calendar.closures"]({ name: "XNYS", range: hours }))),
  "Quota.use": same((client) => client["Quota.use"]({ account: "model" })),
  "Quota.list": same((client) => client["Quota.list"]()),

  "Series.resolve": same((client) =>
    client["Series.resolve"]({ vendor: "model", query: { symbol: "alpha", kind: "bar", timeframe: "1h" } })
  ),
  "Series.plan": shows((client) => client["Series.plan"]({ series: alpha, range: hours })),
  "Series.read": shows((client) => all(client["Series.read"](stored))),
  "Series.execute": changes((client) =>
    Effect.flatMap(client["Series.plan"]({ series: seriesOf("GAMMA", "5m"), range: hours }), (plan) =>
      all(client["Series.execute"]({ plan }))
    )
  ),
  "Series.bars": shows((client) => all(client["Series.bars"](stored))),
  "Series.trades": shows((client) =>
    all(client["Series.trades"]({ ...prints, policy: "cacheOnly", onMissing: "partial" }))
  ),
  "Series.quotes": shows((client) =>
    all(client["Series.quotes"]({ ...quotes, policy: "cacheOnly", onMissing: "partial" }))
  ),
  "Series.page": shows((client) => client["Series.page"](stored)),
  "Series.coverage": shows((client) => all(client["Series.coverage"]({ series: alpha, range: hours }))),
  "Series.actions": shows((client) =>
    client["Series.actions"]({ series: alpha, range: between("2024-03-01", "2024-03-08") })
  ),
  "Series.diff": shows((client, { knownAt }) =>
    all(client["Series.diff"]({ series: alpha, range: hours, between: [knownAt, utc("2124-01-01")] }))
  ),
  "Series.explain": shows((client) => client["Series.explain"]({ series: alpha, ts: hours.start })),
  "Series.revisions": shows((client) => all(client["Series.revisions"]({ series: alpha, range: hours }))),
  "Series.list": shows((client) => all(client["Series.list"]())),
  "Series.latest": shows((client) => client["Series.latest"]({})),
  // In this order: of what is invalidated, nothing would be fetched again.
  "Series.refetch": changes((client) => client["Series.refetch"]({ series: alpha })),
  "Series.invalidate": changes((client) => client["Series.invalidate"]({ series: alpha, range: hours })),
  "Series.rebuild": shows((client) => all(client["Series.rebuild"]({ check: true }))),
  "Series.forget": changes((client) => client["Series.forget"]({ series: beta })),
  "Preferred.plan": shows((client) => client["Preferred.plan"]({ ...preferred, policy: "cacheFirst" })),
  "Preferred.read": shows((client) => client["Preferred.read"]({ ...preferred, onMissing: "partial" })),
  "Preferred.bars": shows((client) => all(client["Preferred.bars"]({ ...preferred, onMissing: "partial" }))),
  "Reconcile.run": changes((client) =>
    all(client["Reconcile.run"]({ left: beta, right: alpha, range: hours, tolerances: {} }))
  ),
  "Reconcile.mismatches": shows((client) =>
    all(client["Reconcile.mismatches"]({ left: alpha, right: beta, range: hours }))
  ),

  "Archive.sessions": shows((client) => all(client["Archive.sessions"]({}))),
  "Archive.requests": shows((client) => all(client["Archive.requests"]({}))),
  "Archive.responses": shows((client, { identity }) =>
    Effect.all([all(client["Archive.responses"]({})), all(client["Archive.responses"]({ identity }))])
  ),
  "Archive.session": shows((client, { session }) => client["Archive.session"]({ id: session })),
  "Archive.request": shows((client, { request }) => client["Archive.request"]({ id: request })),
  "Archive.response": shows((client, { response }) => client["Archive.response"]({ id: response })),
  "Archive.replay": shows((client, { request }) =>
    all(client["Archive.replay"]({ of: { _tag: "Request", id: request } }))
  ),
  "Archive.payload": shows((client, { sha256 }) => all(client["Archive.payload"]({ sha256 }))),
  "Archive.gc": leaves((client) => all(client["Archive.gc"]({ retention: everything, apply: true }))),
  "Archive.compact": leaves((client) => all(client["Archive.compact"]())),
  "Archive.verify": same((client) => all(client["Archive.verify"]())),
  "Archive.stats": same((client) => client["Archive.stats"]()),

  "Import.begin": changes((client) => client["Import.begin"]()),
  "Import.segment": changes((client, { importing }) => client["Import.segment"](segmentOf(importing, 77, 5_000))),
  "Import.end": changes((client, { importing }) =>
    client["Import.end"]({ session: importing, outcome: "failed", reason: "theirs" })
  ),
  "Import.replay": shows((client) => all(client["Import.replay"]({}))),
  "Import.check": shows((client) => all(client["Import.check"]({ limit: 5 }))),

  "Store.version": same((client) => client["Store.version"]()),
  // What it counts is of everybody in market.sqlite, and of the tenant where the user of a database sees no more.
  "Store.status": same((client) => Effect.map(client["Store.status"](), ({ kinds: _, ...status }) => status)),
  "Store.sizes": same((client) =>
    Effect.map(client["Store.sizes"](), ({ tables }) => tables.map(({ table }) => table))
  ),
  "Store.series": shows((client) => all(client["Store.series"]())),
  "Store.submit": changes((client) => client["Store.submit"](barsOf(77))),
  "Store.offer": changes((client) =>
    // A later submit of the kind is committed behind what was offered before.
    Effect.andThen(client["Store.offer"](barsOf(78, "OFFERED")), client["Store.submit"](barsOf(79, "BEHIND")))
  ),
  "Store.batches": shows((client) => client["Store.batches"]()),
  "Store.feedback": shows((client) =>
    Stream.runHead(client["Store.feedback"]()).pipe(
      Effect.timeoutOption("200 millis"),
      Effect.map(Option.flatten),
      Effect.map(Option.map(({ coordinator_id, level }) => [coordinator_id, level]))
    )
  ),
  "Store.config": shows((client) => client["Store.config"]({})),
  "Store.configValue": shows((client) => client["Store.configValue"]({ key })),
  "Store.setConfig": changes((client) => client["Store.setConfig"]({ key, value: 77 })),
  "Store.unsetConfig": changes((client) => client["Store.unsetConfig"]({ key })),

  "Jobs.enqueue": changes((client) => client["Jobs.enqueue"]({ spec: jobSpec("another") })),
  "Jobs.get": shows((client, { job }) => client["Jobs.get"]({ job })),
  "Jobs.runs": shows((client, { job }) => client["Jobs.runs"]({ job })),
  "Jobs.list": shows((client) => all(client["Jobs.list"]({}))),
  "Jobs.stuck": shows((client) => client["Jobs.stuck"]({ silentMillis: 0 })),
  "Jobs.watch": shows((client, { job }) => all(client["Jobs.watch"]({ job }))),
  "Jobs.retry": changes((client, { job }) => client["Jobs.retry"]({ job })),
  "Jobs.cancel": changes((client, { running }) => client["Jobs.cancel"]({ job: running })),
  "Jobs.work": changes((client) =>
    Effect.flatMap(client["Jobs.enqueue"]({ spec: jobSpec("worked"), again: true }), ({ job }) =>
      Effect.raceFirst(
        all(client["Jobs.watch"]({ job: job.id })),
        Effect.andThen(Stream.runDrain(client["Jobs.work"]({ jobs: [job.id] })), Effect.never)
      )
    )
  ),
  "Jobs.cleanup": changes((client) => client["Jobs.cleanup"]({ before: utc("2124-01-01") })),

  // What a vendor tells is archived for who asks, and the same for all.
  "Contracts.describe": same((client) => client["Contracts.describe"]({ vendor: "model", symbol: "ALPHA" })),
  "Contracts.search": same((client) => client["Contracts.search"]({ vendor: "model", pattern: "A" })),
  "Contracts.chain": same((client) => client["Contracts.chain"]({ vendor: "model", symbol: "ALPHA" })),
  "Contracts.options": leaves((client) =>
    client["Contracts.options"]({ vendor: "model", symbol: "ALPHA", maxContracts: 4 })
  ),
  "Contracts.first": same((client) => client["Contracts.first"]({ vendor: "model", symbol: "ALPHA" })),

  // One upstream serves all tenants.
  "Streams.keys": same((client) => client["Streams.keys"](live)),
  "Streams.record": leaves((client) => Stream.runHead(client["Streams.record"](live))),
  "Streams.endRecording": same((client, { session }) => client["Streams.endRecording"]({ session })),
  "Streams.states": same((client) => client["Streams.states"]()),
  "Streams.subscribe": leaves((client) => Stream.runHead(client["Streams.subscribe"](live))),

  // What is sent is the vendor account's, and so the deployment's.
  "Orders.place": refused((client) => client["Orders.place"]({ vendor: "model", key: "desk-1", order })),
  "Orders.cancel": refused((client) => client["Orders.cancel"]({ vendor: "model", order: 1, client: null })),
  "Orders.list": refused((client) => client["Orders.list"]({ vendor: "model" })),

  "Admin.migrate": refused((client) => client["Admin.migrate"]()),
  "Admin.stamp": refused((client) => client["Admin.stamp"]({ version: 1 })),
  "Admin.policy": refused((client) =>
    client["Admin.policy"]({ change: { policy: "aggregate", timeframe: "1h", everyMillis: null } })
  ),
  "Admin.start": refused((client) => client["Admin.start"]({ task: { type: "migrate" } }))
}

/** Something of everything; `of` makes the values of one tenant differ from another's. */
export const fill = Effect.fnUntraced(function* (client: Client, of: number, correct: () => void) {
  yield* all(client["Series.bars"]({ series: alpha, range: hours }))
  yield* all(client["Series.bars"]({ series: beta, range: hours }))
  yield* all(client["Series.trades"](prints))
  yield* all(client["Series.quotes"](quotes))
  const { response } = yield* client["Series.explain"]({ series: alpha, ts: hours.start })
  correct()
  yield* all(client["Series.bars"]({ series: alpha, range: hours, policy: "force" }))
  yield* all(client["Reconcile.run"]({ left: alpha, right: beta, range: hours, tolerances: {} }))
  const importing = yield* client["Import.begin"]()
  yield* client["Import.segment"](segmentOf(importing, of))
  yield* client["Store.submit"](barsOf(of))
  yield* client["Store.setConfig"]({ key, value: of })
  const { job } = yield* client["Jobs.enqueue"]({ spec: jobSpec("done") })
  yield* Effect.raceFirst(
    all(client["Jobs.watch"]({ job: job.id })),
    Effect.andThen(Stream.runDrain(client["Jobs.work"]({ jobs: [job.id] })), Effect.never)
  )
  const known: Omit<Known, "running"> = {
    session: response.session,
    request: response.request,
    response: response.id,
    sha256: response.sha256 ?? "",
    identity: response.identity,
    job: job.id,
    importing,
    knownAt: response.fetchedAt
  }
  return known
})

export const nobody: Known = {
  session: 900_001,
  request: 900_002,
  response: 900_003,
  sha256: "0".repeat(64),
  identity: "1".repeat(64),
  job: JobId.make("00000000-0000-0000-0000-000000000001"),
  running: JobId.make("00000000-0000-0000-0000-000000000002"),
  importing: SessionId.make(900_004),
  knownAt: 1
}
