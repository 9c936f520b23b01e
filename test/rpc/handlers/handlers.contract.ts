/**
 * Every procedure called once with a good input, over a real data directory, and compared with what the embedded services
 * answer. It is run against the handlers in memory, and against every transport.
 */

import { assert, layer } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Stream } from "effect"
import type { Rpc, RpcGroup } from "effect/rpc"
import { ConfigKey } from "../../../src/domain/ConfigEntry.ts"
import type { JobSpec } from "../../../src/domain/Job.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { RecordSeries } from "../../../src/domain/records/RecordKind.ts"
import { canonical } from "../../../src/domain/SeriesKey.ts"
import { isRows } from "../../../src/domain/streams/StreamEvent.ts"
import { allTime } from "../../../src/domain/TimeRange.ts"
import type { TapestryServices } from "../../../src/layers/Tapestry.ts"
import { asAdmin } from "../../../src/rpc/client/asAdmin.ts"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import type { BarPage } from "../../../src/rpc/contract/RangeReport.ts"
import { protocolVersion } from "../../../src/rpc/contract/SystemRpcs.ts"
import { TapestryRpcs } from "../../../src/rpc/contract/TapestryRpcs.ts"
import { errorPath } from "../../../src/rpc/handlers/errorPath.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { ApiConfig } from "../../../src/services/ApiConfig.ts"
import { BatchProcessor } from "../../../src/services/BatchProcessor.ts"
import { Calendar } from "../../../src/services/Calendar.ts"
import { ContractLookups } from "../../../src/services/ContractLookups.ts"
import { ControlPlane } from "../../../src/services/ControlPlane.ts"
import { type ImportSpec, Imports } from "../../../src/services/Imports.ts"
import { JobQueue } from "../../../src/services/JobQueue.ts"
import { Maintenance } from "../../../src/services/Maintenance.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { MarketStreams } from "../../../src/services/MarketStreams.ts"
import { PreferredVendors } from "../../../src/services/PreferredVendors.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { Quota } from "../../../src/services/Quota.ts"
import { Reconciliation } from "../../../src/services/Reconciliation.ts"
import { Recorder } from "../../../src/services/Recorder.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { secret } from "../adminToken.ts"
import { between, seriesOf, utc, World, layer as world } from "./world.ts"

type Tag = Rpc.Tag<RpcGroup.Rpcs<typeof TapestryRpcs>>
type Services = TapestryServices | TapestryClient | World

const alpha = seriesOf("ALPHA", "1m")
const days = between("2024-03-04", "2024-03-08")
const hours = between("2024-03-04T00:00Z", "2024-03-04T03:00Z")
const all = Stream.runCollect

/** The model vendor has it, and the sample has no such series. */
const several = {
  vendors: [
    { vendor: "sample", symbol: "ALPHA" },
    { vendor: "model", symbol: "ALPHA" }
  ],
  query: { kind: "bar", timeframe: "1m" },
  range: hours
} as const

const importSpec: ImportSpec = {
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
const tradeSeries = {
  vendor: "import-desk",
  dataset: null,
  kind: "trade",
  timeframe: null,
  price: "none",
  session: "all",
  currency: null,
  adjustment: "raw"
} as const

/** Has the range stored, through the embedded cache. */
const stored = (symbol: string, range = hours) =>
  Effect.gen(function* () {
    const series = seriesOf(symbol, "1m")
    yield* (yield* StitchingCache).read({ series, range })
    return series
  })

const jobSpec = (key: string): JobSpec => ({
  key,
  type: "backfill",
  payload: { vendor: "model", symbols: ["ALPHA"], timeframe: "1m", range: { ...hours } }
})

/** The id of a job that was done. */
const doneJob = (key: string) =>
  Effect.gen(function* () {
    const queue = yield* JobQueue
    const { job } = yield* queue.enqueue(jobSpec(key))
    yield* Effect.raceFirst(Stream.runDrain(queue.watch(job.id)), queue.work({ only: [job.id] }))
    return job.id
  })

/** Refused without a token, and with one by the vendor, which sends nothing. */
const ordersOf = (call: (client: TapestryClient["Service"]) => Effect.Effect<unknown, { readonly message: string }>) =>
  Effect.gen(function* () {
    const client = yield* TapestryClient
    const refused = yield* Effect.flip(asAdmin(secret)(call(client)))
    assert.match(refused.message, /vendor model cannot send/)
  })

/** One for each procedure: a new one does not compile without. */
const rows: { readonly [K in Tag]: Effect.Effect<void, unknown, Services> } = {
  "System.hello": Effect.gen(function* () {
    const hello = yield* (yield* TapestryClient)["System.hello"]()
    assert.strictEqual(hello.protocol, protocolVersion)
    assert.deepStrictEqual(hello.procedures, [...TapestryRpcs.requests.keys()].sort())
    assert.deepStrictEqual(hello.capabilities, ["correlation", "tenants"])
    assert.match(hello.product, /^\d+\.\d+\.\d+/)
    assert.isAtLeast(hello.now, hello.startedAt)
  }),
  "System.health": Effect.gen(function* () {
    const health = yield* (yield* TapestryClient)["System.health"]()
    assert.isTrue(health.ready)
    assert.deepStrictEqual(
      health.checks.map(({ name, ok }) => `${name} ${ok}`),
      ["archive true", "market store true", "server true"]
    )
  }),
  "Vendors.list": Effect.gen(function* () {
    const registry = yield* AdapterRegistry
    const expected = yield* Effect.forEach(yield* registry.list, registry.describe)
    assert.deepStrictEqual(yield* (yield* TapestryClient)["Vendors.list"](), expected)
    assert.deepStrictEqual(
      expected.map(({ name }) => name),
      ["model", "sample"]
    )
  }),
  "Vendors.describe": Effect.gen(function* () {
    const expected = yield* (yield* AdapterRegistry).describe("sample")
    assert.deepStrictEqual(yield* (yield* TapestryClient)["Vendors.describe"]({ vendor: "sample" }), expected)
  }),
  "Vendors.ping": Effect.gen(function* () {
    const { detail, elapsed, ok } = yield* (yield* AdapterRegistry).ping("model")
    assert.deepStrictEqual(yield* (yield* TapestryClient)["Vendors.ping"]({ vendor: "model" }), {
      ok,
      elapsedMillis: Duration.toMillis(elapsed),
      detail
    })
  }),
  // The vendor of this world has none; those of a gateway are in ibkrStatus.test.ts and session.test.ts.
  "Vendors.sessions": Effect.gen(function* () {
    assert.deepStrictEqual(yield* (yield* TapestryClient)["Vendors.sessions"](), [])
  }),
  "Vendors.session": Effect.gen(function* () {
    const client = yield* TapestryClient
    assert.deepStrictEqual(yield* all(client["Vendors.session"]({ vendor: "model" })), [])
    const unknown = yield* Effect.flip(all(client["Vendors.session"]({ vendor: "modle" })))
    assert.strictEqual(unknown._tag, "AdapterRegistryError")
  }),
  "Vendors.symbols": Effect.gen(function* () {
    const symbols = yield* all((yield* TapestryClient)["Vendors.symbols"]({ vendor: "model" }))
    assert.deepStrictEqual(symbols, yield* (yield* World).vendor.adapter.symbols)
  }),
  "Series.resolve": Effect.gen(function* () {
    const query = { symbol: "spx", kind: "bar", timeframe: "1d" } as const
    const series = yield* (yield* TapestryClient)["Series.resolve"]({ vendor: "sample", query })
    assert.deepStrictEqual(series, yield* (yield* StitchingCache).resolve("sample", query))
    assert.strictEqual(series.symbol, "SPX")
  }),
  "Series.plan": Effect.gen(function* () {
    const query = { series: seriesOf("GAMMA", "1h"), range: days }
    const plan = yield* (yield* TapestryClient)["Series.plan"](query)
    const expected = yield* (yield* StitchingCache).plan(query)
    assert.deepStrictEqual({ ...plan, plannedAt: 0 }, { ...expected, plannedAt: 0 })
    assert.isAbove(plan.requests.length, 0)
  }),
  "Series.read": Effect.gen(function* () {
    const query = { series: seriesOf("BETA", "1h"), range: days }
    const events = yield* all((yield* TapestryClient)["Series.read"](query))
    const last = events.at(-1)
    const { bars: _, ...expected } = yield* (yield* StitchingCache).read({ ...query, policy: "cacheOnly" })
    assert.strictEqual(last?._tag, "Answered")
    if (last?._tag !== "Answered") return
    assert.strictEqual(last.report.rowCount, 96)
    assert.strictEqual(last.report.requests, 1)
    assert.deepStrictEqual(last.report.coverage, expected.coverage)
    assert.deepStrictEqual(events.slice(0, -1), [{ _tag: "Progress", done: 1, of: 1, rows: 96 }])
  }),
  "Series.execute": Effect.gen(function* () {
    const client = yield* TapestryClient
    const plan = yield* client["Series.plan"]({ series: seriesOf("BETA", "5m"), range: hours })
    const last = (yield* all(client["Series.execute"]({ plan }))).at(-1)
    assert.isTrue(last?._tag === "Answered" && last.report.rowCount === 36 && last.report.requests === 1)
  }),
  "Series.bars": Effect.gen(function* () {
    const query = { series: alpha, range: days }
    const bars = yield* all((yield* TapestryClient)["Series.bars"](query))
    assert.deepStrictEqual(bars, yield* (yield* World).vendor.direct(alpha, days))
    assert.deepStrictEqual(bars, yield* all((yield* (yield* StitchingCache).read(query)).bars))
    assert.strictEqual(bars.length, 5_760)
  }),
  "Series.trades": Effect.gen(function* () {
    const range = { start: hours.start, end: hours.start + 60_000 }
    const series = { ...seriesOf("ALPHA", "1m"), kind: "trade", timeframe: null } as const
    const client = yield* TapestryClient
    const rows = yield* all(client["Series.trades"]({ series, range }))
    const stream = { vendor: "model", symbol: "ALPHA", kind: "trades", timeframe: null, params: {} } as const
    assert.deepStrictEqual<ReadonlyArray<unknown>>(rows, (yield* World).vendor.stream?.truth(stream, range) ?? [])
    assert.isAbove(rows.length, 2_000)
    const cache = yield* StitchingCache
    assert.deepStrictEqual(rows, yield* all((yield* cache.ticks({ series, range })).rows))
    const last = (yield* all(client["Series.read"]({ series, range }))).at(-1)
    assert.isTrue(last?._tag === "Answered" && last.report.rowCount === rows.length && last.report.requests === 0)
    const wider = { start: range.start, end: range.end + 1_000 }
    const plan = yield* client["Series.plan"]({ series, range: wider })
    assert.deepStrictEqual(
      plan.requests.map(({ range }) => range),
      [{ start: range.end, end: wider.end }]
    )
    assert.isTrue(plan.atLeast)
  }),
  "Series.quotes": Effect.gen(function* () {
    const range = { start: hours.start, end: hours.start + 60_000 }
    const series = { ...seriesOf("ALPHA", "1m"), kind: "quote", timeframe: null, dataset: "ticks" } as const
    const client = yield* TapestryClient
    const rows = yield* all(client["Series.quotes"]({ series, range }))
    assert.deepStrictEqual<ReadonlyArray<unknown>>(
      rows,
      (yield* World).vendor.stream?.ticks?.truth(series, range) ?? []
    )
    assert.isAbove(rows.length, 2_000)
    const other = yield* Effect.flip(all(client["Series.trades"]({ series, range })))
    assert.strictEqual(errorPath(other), "StitchingCacheError/VendorError/Unsupported")
  }),
  "Series.page": Effect.gen(function* () {
    const series = yield* stored("ALPHA")
    const client = yield* TapestryClient
    const answer = yield* (yield* StitchingCache).read({ series, range: hours })
    const expected = yield* all(answer.bars)
    assert.isAbove(expected.length, 100)
    const whole = yield* client["Series.page"]({ series, range: hours })
    assert.deepStrictEqual(whole, { bars: expected, coverage: answer.coverage, next: null })
    const bars: Array<(typeof expected)[number]> = []
    const known: Array<(typeof answer.coverage)[number]> = []
    let start: number | null = hours.start
    while (start !== null) {
      const page: BarPage = yield* client["Series.page"]({ series, range: { start, end: hours.end }, limit: 50 })
      assert.isAtMost(page.bars.length, 50)
      assert.strictEqual(page.coverage[0]?.start, start)
      assert.strictEqual(page.coverage.at(-1)?.end, page.next ?? hours.end)
      bars.push(...page.bars)
      known.push(...page.coverage)
      start = page.next
    }
    assert.deepStrictEqual(bars, expected)
    assert.isAbove(known.length, 2)
  }),
  "Series.coverage": Effect.gen(function* () {
    const series = yield* stored("BETA")
    const range = between("2024-03-03", "2024-03-05")
    const coverage = yield* all((yield* TapestryClient)["Series.coverage"]({ series, range }))
    assert.deepStrictEqual(coverage, yield* (yield* StitchingCache).coverage(series, range))
    assert.deepStrictEqual(
      coverage.map(({ state }) => state._tag),
      ["Missing", "Covered", "Missing"]
    )
  }),
  "Series.actions": Effect.gen(function* () {
    const series = yield* stored("BETA")
    const market = yield* MarketStore
    const told = { ts: utc("2024-03-04"), kind: "split", numerator: 4, denominator: 1 } as const
    const response = (yield* market.barAt(series, hours.start))?.lineage.response
    assert.isDefined(response)
    yield* market.commit({
      series: { ...series, timeframe: "1d" },
      response,
      fetchedAt: hours.end,
      decoderVersion: 1,
      bars: [],
      positions: [],
      coverage: [],
      actions: { rows: [told], positions: [7], complete: null }
    })
    const expected = yield* (yield* StitchingCache).actions(series, days)
    assert.deepStrictEqual(
      expected.map(({ action }) => action),
      [told]
    )
    assert.deepStrictEqual(yield* (yield* TapestryClient)["Series.actions"]({ series, range: days }), expected)
  }),
  "Series.diff": Effect.gen(function* () {
    const series = yield* stored("GAMMA")
    const cache = yield* StitchingCache
    const market = yield* MarketStore
    const row = yield* market.barAt(series, hours.start)
    assert.isNotNull(row)
    const at = row.lineage.recordedAt
    const bars = yield* all(market.bars(series, hours))
    const { range } = { range: { start: hours.start, end: hours.end } }
    yield* market.commit({
      series,
      response: ResponseId.make(row.lineage.response + 1_000),
      fetchedAt: at + 10,
      decoderVersion: 1,
      bars: bars.slice(1).map((bar, index) => (index === 0 ? { ...bar, volume: 4_711 } : bar)),
      positions: bars.slice(1).map((_, index) => index),
      coverage: [{ ...range, state: { _tag: "Covered", response: ResponseId.make(row.lineage.response + 1_000) } }]
    })
    const between = [at, at + 10] as const
    const expected = yield* all(cache.diff(series, range, between))
    assert.deepStrictEqual(
      expected.map(({ kind }) => kind),
      ["withdrawn", "changed"]
    )
    const client = yield* TapestryClient
    assert.deepStrictEqual(yield* all(client["Series.diff"]({ series, range, between: [at, at + 10] })), expected)
    const byResponse = [{ response: row.lineage.response }, at + 10] as const
    assert.deepStrictEqual(yield* all(client["Series.diff"]({ series, range, between: [...byResponse] })), expected)
  }),
  "Preferred.plan": Effect.gen(function* () {
    const expected = yield* (yield* PreferredVendors).plan(several)
    assert.deepStrictEqual(
      expected.plans.map(({ vendor }) => vendor),
      ["model"]
    )
    const plan = yield* (yield* TapestryClient)["Preferred.plan"](several)
    // The two were made at different instants.
    assert.deepStrictEqual(
      plan.plans.map(({ plan: { plannedAt: _, ...rest }, ...one }) => ({ ...one, rest })),
      expected.plans.map(({ plan: { plannedAt: _, ...rest }, ...one }) => ({ ...one, rest }))
    )
  }),
  "Preferred.read": Effect.gen(function* () {
    const preferred = yield* PreferredVendors
    yield* preferred.read(several)
    const { bars: _, ...report } = yield* preferred.read(several)
    assert.deepStrictEqual(yield* (yield* TapestryClient)["Preferred.read"](several), report)
    assert.isAbove(report.rowCount, 100)
  }),
  "Preferred.bars": Effect.gen(function* () {
    const bars = yield* all((yield* TapestryClient)["Preferred.bars"](several))
    const { bars: expected } = yield* (yield* PreferredVendors).read(several)
    assert.deepStrictEqual(bars, yield* all(expected))
    assert.isTrue(bars.every(({ vendor }) => vendor === "model"))
  }),
  "Reconcile.run": Effect.gen(function* () {
    const client = yield* TapestryClient
    const left = yield* stored("ALPHA")
    const right = yield* stored("BETA")
    const events = yield* all(client["Reconcile.run"]({ left, right, range: hours, tolerances: {} }))
    const query = { left, right, range: hours, tolerances: {} }
    const report = yield* (yield* Reconciliation).reconcile(query)
    assert.deepStrictEqual(events.at(-1), { _tag: "Compared", report })
    assert.isAbove(report.mismatched, 0)
  }),
  "Reconcile.mismatches": Effect.gen(function* () {
    const reconciliation = yield* Reconciliation
    const left = yield* stored("BETA")
    const right = yield* stored("ALPHA")
    yield* reconciliation.reconcile({ left, right, range: hours, tolerances: {} })
    const expected = yield* all(reconciliation.mismatches(left, right, hours, { open: true }))
    assert.isAbove(expected.length, 100)
    const found = yield* all((yield* TapestryClient)["Reconcile.mismatches"]({ left, right, range: hours, open: true }))
    assert.deepStrictEqual(found, expected)
  }),
  "Series.explain": Effect.gen(function* () {
    const series = yield* stored("ALPHA")
    const receipt = yield* (yield* TapestryClient)["Series.explain"]({ series, ts: hours.start })
    assert.deepStrictEqual(receipt, yield* (yield* StitchingCache).explain(series, hours.start))
    assert.strictEqual(receipt.bar.ts, hours.start)
  }),
  "Series.invalidate": Effect.gen(function* () {
    const client = yield* TapestryClient
    const series = seriesOf("GAMMA", "15m")
    yield* (yield* StitchingCache).read({ series, range: hours })
    yield* client["Series.invalidate"]({ series, range: hours })
    const coverage = yield* (yield* MarketStore).coverage(series, hours)
    assert.deepStrictEqual(coverage, [])
  }),
  "Series.refetch": Effect.gen(function* () {
    const series = seriesOf("GAMMA", "30m")
    const { correct, vendor } = yield* World
    yield* (yield* StitchingCache).read({ series, range: hours })
    correct(between("2023-01-01", "2023-01-02"), 0)
    const report = yield* (yield* TapestryClient)["Series.refetch"]({ series })
    assert.strictEqual(report.rowCount, 6)
    assert.strictEqual(report.requests, 1)
    assert.deepStrictEqual(yield* all((yield* MarketStore).bars(series, hours)), yield* vendor.direct(series, hours))
  }),
  "Series.forget": Effect.gen(function* () {
    const series = seriesOf("GAMMA", "10m")
    yield* (yield* StitchingCache).read({ series, range: hours })
    assert.strictEqual(yield* (yield* TapestryClient)["Series.forget"]({ series }), 18)
    assert.deepStrictEqual(yield* all((yield* MarketStore).bars(series, hours)), [])
  }),
  "Series.rebuild": Effect.gen(function* () {
    const series = seriesOf("GAMMA", "15m")
    yield* (yield* StitchingCache).read({ series, range: hours })
    const before = yield* all((yield* MarketStore).storedBars(series, hours))
    const client = yield* TapestryClient
    const selection = { vendor: "model", symbol: "GAMMA" }
    const checked = yield* all(client["Series.rebuild"]({ ...selection, check: true }))
    const compared = checked.find((event) => event._tag === "Compared" && event.series.includes("/15m/"))
    assert.strictEqual(compared?._tag === "Compared" && compared.same && compared.stored.rows.count, 12)
    const last = (yield* all(client["Series.rebuild"](selection))).at(-1)
    assert.strictEqual(last?._tag === "Finished" && last.unread + last.skipped, 0)
    assert.deepStrictEqual(yield* all((yield* MarketStore).storedBars(series, hours)), before)
  }),
  "Series.revisions": Effect.gen(function* () {
    const series = seriesOf("GAMMA", "1h")
    const cache = yield* StitchingCache
    yield* cache.read({ series, range: hours })
    ;(yield* World).correct(hours, utc("2024-04-01"))
    yield* cache.read({ series, range: hours, policy: "force" })
    const revisions = yield* all((yield* TapestryClient)["Series.revisions"]({ series, range: hours }))
    assert.deepStrictEqual(revisions, yield* all((yield* MarketStore).revisions(series, hours)))
    assert.deepStrictEqual(
      revisions.map(({ kind }) => kind),
      ["corrected", "corrected", "corrected"]
    )
  }),
  "Series.list": Effect.gen(function* () {
    yield* stored("ALPHA")
    const list = yield* all((yield* TapestryClient)["Series.list"]())
    assert.deepStrictEqual(list, yield* (yield* MarketStore).series)
    assert.isAbove(list.length, 0)
  }),
  "Series.latest": Effect.gen(function* () {
    yield* stored("ALPHA")
    const latest = yield* (yield* TapestryClient)["Series.latest"]({ vendor: "model", symbols: ["ALPHA"] })
    assert.deepStrictEqual(latest, yield* (yield* MarketStore).latest({ vendor: "model", symbols: ["ALPHA"] }))
    assert.strictEqual(latest[0]?.series.symbol, "ALPHA")
  }),
  "Archive.sessions": Effect.gen(function* () {
    yield* stored("ALPHA")
    const client = yield* TapestryClient
    const expected = yield* (yield* ProvenanceStore).sessions({ limit: 1_000 })
    assert.deepStrictEqual(yield* all(client["Archive.sessions"]({})), expected)
    assert.deepStrictEqual(yield* all(client["Archive.sessions"]({ limit: 1 })), expected.slice(0, 1))
  }),
  "Archive.requests": Effect.gen(function* () {
    yield* stored("ALPHA")
    const client = yield* TapestryClient
    const archive = yield* ProvenanceStore
    const expected = yield* archive.requests({ limit: 1_000 })
    assert.deepStrictEqual(yield* all(client["Archive.requests"]({})), expected)
    const [, second] = expected
    assert.isDefined(second)
    if (second === undefined) return
    assert.deepStrictEqual(yield* all(client["Archive.requests"]({ before: second.id })), expected.slice(2))
    assert.deepStrictEqual(
      yield* all(client["Archive.requests"]({ session: second.session, identity: second.identity })),
      yield* archive.requests({ session: second.session, identity: second.identity, limit: 1_000 })
    )
  }),
  "Archive.responses": Effect.gen(function* () {
    yield* stored("ALPHA")
    const client = yield* TapestryClient
    const archive = yield* ProvenanceStore
    const expected = yield* archive.responses({ limit: 1_000 })
    assert.deepStrictEqual(yield* all(client["Archive.responses"]({})), expected)
    const request = expected[0]?.request ?? 0
    assert.deepStrictEqual(
      yield* all(client["Archive.responses"]({ request })),
      yield* archive.responses({ request, limit: 1_000 })
    )
  }),
  "Archive.session": Effect.gen(function* () {
    yield* stored("ALPHA")
    assert.deepStrictEqual(
      yield* (yield* TapestryClient)["Archive.session"]({ id: 1 }),
      yield* (yield* ProvenanceStore).session(1)
    )
  }),
  "Archive.request": Effect.gen(function* () {
    yield* stored("ALPHA")
    assert.deepStrictEqual(
      yield* (yield* TapestryClient)["Archive.request"]({ id: 1 }),
      yield* (yield* ProvenanceStore).request(1)
    )
  }),
  "Archive.response": Effect.gen(function* () {
    yield* stored("ALPHA")
    assert.deepStrictEqual(
      yield* (yield* TapestryClient)["Archive.response"]({ id: 1 }),
      yield* (yield* ProvenanceStore).response(1)
    )
  }),
  "Archive.replay": Effect.gen(function* () {
    yield* stored("ALPHA")
    const client = yield* TapestryClient
    const archive = yield* ProvenanceStore
    const options = { of: { _tag: "Session", id: 1 } as const, withBytes: true }
    const records = yield* all(client["Archive.replay"](options))
    const own = yield* all(archive.replay(options))
    assert.deepStrictEqual(
      records,
      own.map(({ call, response }) => ({ call, response }))
    )
    assert.isAbove(records.length, 0)
    const identity = records[0]?.response.identity ?? ""
    assert.deepStrictEqual(
      yield* all(client["Archive.replay"]({ of: { _tag: "Identity", sha256: identity } })),
      records.slice(0, 1)
    )
    assert.deepStrictEqual(yield* all(client["Archive.replay"]({ of: { _tag: "Request", id: 1 }, asOf: 0 })), [])
  }),
  "Archive.payload": Effect.gen(function* () {
    const series = yield* stored("ALPHA", days)
    const archive = yield* ProvenanceStore
    const { response } = yield* (yield* StitchingCache).explain(series, utc("2024-03-07"))
    const sha256 = response.sha256 ?? ""
    const pieces = yield* all((yield* TapestryClient)["Archive.payload"]({ sha256 }))
    assert.isAbove(response.sizeBytes, 4 * 65_536)
    assert.deepStrictEqual(
      pieces.slice(0, -1).map((piece) => piece.length),
      pieces.slice(0, -1).map(() => 65_536)
    )
    assert.isTrue(Buffer.concat(pieces).equals(yield* archive.payload(sha256)))
  }),
  "Archive.verify": Effect.gen(function* () {
    yield* stored("ALPHA")
    const events = yield* all((yield* TapestryClient)["Archive.verify"]())
    const { payloads } = yield* (yield* ProvenanceStore).stats
    assert.deepStrictEqual(events, [{ _tag: "Verified", checked: payloads, damaged: 0 }])
    assert.isAbove(payloads, 0)
  }),
  "Archive.gc": Effect.gen(function* () {
    yield* stored("ALPHA")
    const retention = { age: 0, ages: {}, bytes: null, source: null }
    const asked = { retention, apply: false }
    const last = (yield* all((yield* TapestryClient)["Archive.gc"](asked))).at(-1)
    assert.deepStrictEqual(last, { _tag: "Done", report: yield* (yield* Maintenance).gc(asked) })
    assert.isTrue(last?._tag === "Done" && !last.report.applied && last.report.responses === 0, "all of it is young")
  }),
  "Archive.compact": Effect.gen(function* () {
    yield* stored("ALPHA")
    const last = (yield* all((yield* TapestryClient)["Archive.compact"]())).at(-1)
    const { storedBytes } = yield* (yield* ProvenanceStore).stats
    assert.isTrue(last?._tag === "Done" && last.report.damaged === 0 && last.report.storedAfter === storedBytes)
  }),
  "Archive.stats": Effect.gen(function* () {
    yield* stored("ALPHA")
    assert.deepStrictEqual(yield* (yield* TapestryClient)["Archive.stats"](), yield* (yield* ProvenanceStore).stats)
  }),
  "Quota.use": Effect.gen(function* () {
    const use = yield* (yield* TapestryClient)["Quota.use"]({ account: "model" })
    assert.deepStrictEqual(use, yield* (yield* Quota).use("model"))
  }),
  "Quota.list": Effect.gen(function* () {
    const list = yield* (yield* TapestryClient)["Quota.list"]()
    assert.deepStrictEqual(list, yield* Effect.forEach(["model", "sample"], (yield* Quota).use))
  }),
  "Jobs.enqueue": Effect.gen(function* () {
    const { created, job } = yield* (yield* TapestryClient)["Jobs.enqueue"]({ spec: jobSpec("enqueue") })
    assert.isTrue(created)
    assert.deepStrictEqual((yield* (yield* JobQueue).get(job.id)).job, job)
    const known = yield* (yield* TapestryClient)["Jobs.enqueue"]({ spec: jobSpec("enqueue"), again: true })
    assert.deepStrictEqual(known, { job, created: false })
  }),
  "Jobs.get": Effect.gen(function* () {
    const queue = yield* JobQueue
    const { job } = yield* queue.enqueue(jobSpec("get"))
    const view = yield* (yield* TapestryClient)["Jobs.get"]({ job: job.id.slice(0, 13) })
    assert.deepStrictEqual(view, { job, run: null })
  }),
  "Jobs.runs": Effect.gen(function* () {
    const job = yield* doneJob("runs")
    const runs = yield* (yield* TapestryClient)["Jobs.runs"]({ job })
    assert.deepStrictEqual(runs, yield* (yield* JobQueue).runs(job))
    assert.deepStrictEqual(
      runs.map(({ outcome, status }) => [status, outcome?.rowsStored]),
      [["success", 180]]
    )
  }),
  "Contracts.describe": Effect.gen(function* () {
    const client = yield* TapestryClient
    const found = yield* client["Contracts.describe"]({ vendor: "model", symbol: "alpha" })
    assert.deepStrictEqual(found, yield* (yield* ContractLookups).describe("model", { symbol: "alpha" }))
    assert.deepInclude(found[0], { name: "ALPHA", kind: "stock" })
  }),
  "Contracts.search": Effect.gen(function* () {
    const found = yield* (yield* TapestryClient)["Contracts.search"]({ vendor: "model", pattern: "amm" })
    assert.deepStrictEqual(found, yield* (yield* ContractLookups).search("model", "amm"))
    assert.deepStrictEqual(
      found.map(({ name }) => name),
      ["GAMMA"]
    )
  }),
  "Contracts.chain": Effect.gen(function* () {
    const chains = yield* (yield* TapestryClient)["Contracts.chain"]({ vendor: "model", symbol: "BETA" })
    assert.deepStrictEqual(chains, yield* (yield* ContractLookups).chain("model", { symbol: "BETA" }))
    assert.strictEqual(chains[0]?.expirations.length, 4)
  }),
  "Contracts.options": Effect.gen(function* () {
    const query = { vendor: "model", symbol: "BETA", maxContracts: 6 }
    const snapshot = yield* (yield* TapestryClient)["Contracts.options"](query)
    const { rows, spot } = snapshot
    assert.strictEqual(rows.length, 6)
    assert.isTrue(rows.every(({ iv, strike }) => (iv ?? 0) > 0 && Math.abs(strike - (spot ?? 0)) < 10))
  }),
  "Contracts.first": Effect.gen(function* () {
    const first = yield* (yield* TapestryClient)["Contracts.first"]({ vendor: "model", symbol: "BETA" })
    assert.strictEqual(first, yield* (yield* ContractLookups).first("model", { symbol: "BETA" }))
  }),
  "Streams.keys": Effect.gen(function* () {
    const client = yield* TapestryClient
    const selection = { vendor: "model", streams: [{ symbol: " alpha ", kind: "bars" as const }] }
    const keys = yield* client["Streams.keys"](selection)
    assert.deepStrictEqual(keys, yield* (yield* MarketStreams).keys(selection))
    assert.deepInclude(keys[0], { symbol: "ALPHA", timeframe: "5s" })
  }),
  "Streams.subscribe": Effect.gen(function* () {
    const client = yield* TapestryClient
    const { vendor } = yield* World
    const streams = [
      { symbol: "ALPHA", kind: "trades" as const },
      { symbol: "BETA", kind: "quotes" as const }
    ]
    const [key] = yield* client["Streams.keys"]({ vendor: "model", streams })
    let rows = 0
    let quotes = 0
    const items = yield* client["Streams.subscribe"]({ vendor: "model", streams }).pipe(
      Stream.takeUntil(({ event, stream }) => {
        if (stream === 0 && isRows(event)) rows += event.rows.length
        if (stream === 1 && event._tag === "Quotes") quotes += event.rows.length
        return rows >= 20 && quotes > 0
      }),
      Stream.runCollect
    )
    const started = items.find(({ event, stream }) => stream === 0 && event._tag === "Started")
    const told = items.flatMap(({ event, stream }) => (stream === 0 && event._tag === "Trades" ? event.rows : []))
    const from = started?.event._tag === "Started" ? started.event.through : 0
    const truth = key === undefined ? [] : (vendor.stream?.truth(key, { start: from, end: from + 60_000 }) ?? [])
    assert.deepStrictEqual(told, truth.slice(0, told.length))
    assert.isTrue(items.some(({ event, stream }) => stream === 1 && event._tag === "Quotes"))
  }),
  "Streams.record": Effect.gen(function* () {
    const client = yield* TapestryClient
    const records = yield* RecordStore
    const { vendor } = yield* World
    const streams = [{ symbol: "BETA", kind: "trades" as const }]
    let session = 0
    let ended = false
    const events = yield* client["Streams.record"]({ vendor: "model", streams, segmentAge: 200 }).pipe(
      Stream.tap((event) =>
        Effect.gen(function* () {
          if (event._tag === "Began") session = event.session
          if (event._tag !== "Progress" || ended || (event.kinds[0]?.rows ?? 0) === 0) return
          ended = yield* client["Streams.endRecording"]({ session })
        })
      ),
      Stream.runCollect
    )
    const last = events.at(-1)
    assert.isTrue(ended)
    assert.deepInclude(last, { _tag: "Ended", session, unstored: [] })
    const series = vendor.adapter.stream?.series({
      vendor: "model",
      symbol: "BETA",
      kind: "trades",
      timeframe: null,
      params: {}
    })
    assert.strictEqual(
      yield* records.count(series as RecordSeries, allTime),
      last?._tag === "Ended" ? last.kinds[0]?.rows : null
    )
    assert.isFalse(yield* client["Streams.endRecording"]({ session }))
  }),
  "Streams.endRecording": Effect.gen(function* () {
    const client = yield* TapestryClient
    const recorder = yield* Recorder
    const began = yield* Deferred.make<number>()
    const recording = yield* recorder.record({ vendor: "model", streams: [{ symbol: "BETA", kind: "bars" }] }).pipe(
      Stream.runForEach((event) => (event._tag === "Began" ? Deferred.succeed(began, event.session) : Effect.void)),
      Effect.forkChild({ startImmediately: true })
    )
    const session = yield* Deferred.await(began)
    assert.isFalse(yield* client["Streams.endRecording"]({ session: session + 1 }))
    assert.isTrue(yield* client["Streams.endRecording"]({ session }))
    yield* Fiber.join(recording)
    assert.strictEqual((yield* client["Archive.session"]({ id: session })).outcome, "ok")
  }),
  "Streams.states": Effect.gen(function* () {
    const client = yield* TapestryClient
    const states = yield* Effect.scoped(
      Effect.gen(function* () {
        const streams = yield* MarketStreams
        const { take } = yield* streams.subscribe({ vendor: "model", streams: [{ symbol: "GAMMA", kind: "trades" }] })
        yield* take
        return yield* client["Streams.states"]()
      })
    )
    const gamma = states.find(({ key }) => key.symbol === "GAMMA")
    assert.deepInclude(gamma, { state: "live", consumers: 1, opened: 1, gaps: 0 })
  }),
  "Jobs.list": Effect.gen(function* () {
    const queue = yield* JobQueue
    const { job } = yield* queue.enqueue(jobSpec("list"))
    const client = yield* TapestryClient
    assert.deepStrictEqual(yield* all(client["Jobs.list"]({ key: job.key })), [{ job, run: null }])
    assert.deepStrictEqual(yield* all(client["Jobs.list"]({})), yield* queue.list())
  }),
  "Jobs.cancel": Effect.gen(function* () {
    const queue = yield* JobQueue
    const { job } = yield* queue.enqueue(jobSpec("cancel"))
    const cancelled = yield* (yield* TapestryClient)["Jobs.cancel"]({ job: job.id })
    assert.strictEqual(cancelled.state, "cancelled")
    assert.deepStrictEqual((yield* queue.get(job.id)).job, cancelled)
  }),
  "Jobs.retry": Effect.gen(function* () {
    const queue = yield* JobQueue
    const { job } = yield* queue.enqueue(jobSpec("retry"))
    yield* queue.cancel(job.id)
    const retried = yield* (yield* TapestryClient)["Jobs.retry"]({ job: job.id })
    assert.isTrue(retried.created)
    assert.notStrictEqual(retried.job.id, job.id)
    assert.strictEqual(retried.job.key, job.key)
  }),
  "Jobs.stuck": Effect.gen(function* () {
    assert.deepStrictEqual(yield* (yield* TapestryClient)["Jobs.stuck"]({ silentMillis: 900_000 }), [])
  }),
  "Jobs.cleanup": Effect.gen(function* () {
    const client = yield* TapestryClient
    assert.strictEqual(yield* client["Jobs.cleanup"]({ before: 0 }), 0)
    const job = yield* doneJob("cleanup")
    const removed = yield* client["Jobs.cleanup"]({ before: 8_000_000_000_000_000 })
    assert.isAtLeast(removed, 1)
    assert.isFalse((yield* (yield* JobQueue).list({ limit: 1_000 })).some((view) => view.job.id === job))
  }),
  "Jobs.watch": Effect.gen(function* () {
    const job = yield* doneJob("watch")
    const told = yield* all((yield* TapestryClient)["Jobs.watch"]({ job }))
    assert.deepStrictEqual(told, [yield* (yield* JobQueue).get(job)])
  }),
  "Jobs.work": Effect.gen(function* () {
    const client = yield* TapestryClient
    const { job } = yield* (yield* JobQueue).enqueue(jobSpec("work"))
    const told = yield* Effect.raceFirst(
      all(client["Jobs.watch"]({ job: job.id })),
      Effect.andThen(Stream.runDrain(client["Jobs.work"]({ jobs: [job.id] })), Effect.never)
    )
    assert.strictEqual(told.at(-1)?.job.state, "completed")
  }),
  "Import.begin": Effect.gen(function* () {
    const session = yield* (yield* TapestryClient)["Import.begin"]()
    const opened = yield* (yield* ProvenanceStore).session(session)
    assert.deepInclude(opened, { source: "import", mode: "batch", outcome: null })
  }),
  "Import.segment": Effect.gen(function* () {
    const client = yield* TapestryClient
    const session = yield* client["Import.begin"]()
    const text = '{"tsNs":"1","price":1.5}\n{"tsNs":"2","price":"?"}\n'
    const segment = { session, spec: importSpec, offset: 0, line: 1, bytes: new TextEncoder().encode(text) }
    const report = yield* client["Import.segment"](segment)
    assert.deepInclude(report, { known: false, rows: 2, inserted: 1, updated: 0, unchanged: 0 })
    assert.deepStrictEqual(
      report.rejected.map(({ line, reason }) => [line, reason]),
      [[2, "price is not a number: ?"]]
    )
    const again = yield* (yield* Imports).segment(session, importSpec, segment)
    assert.deepStrictEqual(again, { ...report, known: true, inserted: 0 })
    const rows = (yield* RecordStore).rows(
      { ...seriesOf("ALPHA", "1m"), ...tradeSeries },
      between("1970-01-01", "1971-01-01")
    )
    assert.strictEqual((yield* all(rows)).length, 1)
  }),
  "Import.end": Effect.gen(function* () {
    const client = yield* TapestryClient
    const session = yield* client["Import.begin"]()
    yield* client["Import.end"]({ session, outcome: "failed", reason: "gave up" })
    assert.deepInclude(yield* (yield* ProvenanceStore).session(session), { outcome: "failed", reason: "gave up" })
  }),
  "Import.replay": Effect.gen(function* () {
    const client = yield* TapestryClient
    const session = yield* client["Import.begin"]()
    const bytes = new TextEncoder().encode('{"tsNs":"7","price":2}\n')
    const spec = { ...importSpec, name: "replayed", defaults: { ...importSpec.defaults, symbol: "omega" } }
    const { response } = yield* client["Import.segment"]({ session, spec, offset: 0, line: 1, bytes })
    const series = { ...seriesOf("OMEGA", "1m"), ...tradeSeries, symbol: "OMEGA" }
    yield* (yield* MarketStore).forget(series)
    const replayed = yield* all(client["Import.replay"]({}))
    assert.deepInclude(replayed, { response, rows: 1, inserted: 1, problem: null })
    assert.deepStrictEqual(
      new Set(replayed.map(({ problem }) => problem)),
      new Set([null]),
      "nothing that was imported is lost"
    )
    assert.strictEqual((yield* all((yield* RecordStore).rows(series, between("1970-01-01", "1971-01-01")))).length, 1)
  }),
  "Import.check": Effect.gen(function* () {
    const client = yield* TapestryClient
    const session = yield* client["Import.begin"]()
    const bytes = new TextEncoder().encode('{"tsNs":"7","price":2}\n{"tsNs":"8","price":3}\n')
    const spec = { ...importSpec, name: "checked", defaults: { ...importSpec.defaults, symbol: "checked" } }
    yield* client["Import.segment"]({ session, spec, offset: 0, line: 1, bytes })
    const [event, ...more] = yield* all(client["Import.check"]({ symbol: "CHECKED", limit: 5 }))
    assert.deepStrictEqual(more, [])
    assert.deepInclude(event, { _tag: "Compared", stored: 2, rebuilt: 2, rows: 0, revisions: 0, differences: [] })
  }),
  "Store.version": Effect.gen(function* () {
    const { migrations, ...expected } = yield* (yield* ControlPlane).schema
    assert.deepStrictEqual(yield* (yield* TapestryClient)["Store.version"](), expected)
    assert.deepInclude(expected, { version: migrations.length, expected: migrations.length, state: "current" })
  }),
  "Store.status": Effect.gen(function* () {
    yield* stored("ALPHA")
    const status = yield* (yield* TapestryClient)["Store.status"]()
    assert.deepStrictEqual(status, yield* (yield* ControlPlane).status)
    assert.isTrue(status.migrations.every(({ state }) => state === "applied"))
    assert.strictEqual(status.where, `${(yield* World).dataDir}/market.sqlite`)
    const [bars] = (status.kinds ?? []).filter(({ kind }) => kind === "bar")
    assert.isAtLeast(bars?.rows ?? 0, 180)
  }),
  "Store.sizes": Effect.gen(function* () {
    yield* stored("ALPHA")
    const sizes = yield* (yield* TapestryClient)["Store.sizes"]()
    assert.deepStrictEqual(sizes, yield* (yield* ControlPlane).sizes)
    const names = sizes.tables.map(({ table }) => table)
    assert.deepStrictEqual(names, [...names].sort())
    assert.isAbove(sizes.tables.find(({ table }) => table === "bars")?.bytes ?? 0, 4_096)
  }),
  "Store.series": Effect.gen(function* () {
    yield* stored("ALPHA")
    yield* stored("BETA")
    const series = yield* all((yield* TapestryClient)["Store.series"]())
    assert.deepStrictEqual(series, yield* all((yield* ControlPlane).series))
    const keys = series.map(({ series }) => series)
    assert.deepStrictEqual(keys, [...keys].sort())
    const one = series.find(({ series }) => series === canonical(seriesOf("BETA", "1m")))
    assert.isAtLeast(one?.rows ?? 0, 180, keys.join(" "))
  }),
  "Store.submit": Effect.gen(function* () {
    const client = yield* TapestryClient
    const defaults = { vendor: "import-submitted", symbol: "spy" }
    const rows = Array.from({ length: 1_000 }, (_, index) => ({
      tsNs: String(1_000_000n * BigInt(index)),
      price: index
    }))
    const strange = [{ price: 1 }, { tsNs: "7", price: "dear" }, { tsNs: "8", price: 1, vendor: "model" }]
    const taken = yield* client["Store.submit"]({ kind: "trade", rows: [...rows, ...strange], defaults })
    assert.strictEqual(taken.rows, 1_000)
    assert.deepStrictEqual(
      taken.refused.map(({ index }) => index),
      [1_000, 1_001, 1_002]
    )
    assert.match(taken.refused[2]?.reason ?? "", /model is a configured vendor/)
    const series = { ...tradeSeries, vendor: "import-submitted", symbol: "SPY" } as const
    const stored = yield* all((yield* RecordStore).rows(series, between("1970-01-01", "1970-01-02")))
    assert.deepStrictEqual(
      stored.map((row) => "price" in row && row.price),
      rows.map(({ price }) => price),
      "in their order"
    )
    // The vendor is one of the store's own now, and takes rows again.
    const again = yield* client["Store.submit"]({ kind: "trade", rows: rows.slice(0, 2), defaults })
    assert.deepStrictEqual(again, { rows: 2, refused: [] })
    const wrong = yield* Effect.exit(client["Store.submit"]({ kind: "trade", rows: [], defaults: { vendor: "x" } }))
    assert.isTrue(Exit.isSuccess(wrong) && wrong.value.rows === 0)
  }),
  "Store.offer": Effect.gen(function* () {
    const client = yield* TapestryClient
    const row = { ts: "2024-03-04T00:00:00Z", open: 1, high: 2, low: 1, close: 2, volume: null }
    const defaults = { vendor: "import-offered", symbol: "SPY", timeframe: "1m" }
    assert.deepStrictEqual(yield* client["Store.offer"]({ kind: "bar", rows: [row], defaults }), {
      rows: 1,
      refused: []
    })
    yield* (yield* BatchProcessor).flush
    const series = { ...seriesOf("SPY", "1m"), vendor: "import-offered", session: "regular" } as const
    const bars = yield* all((yield* MarketStore).bars(series, hours))
    assert.deepInclude(bars[0], { ts: hours.start, close: 2 })
  }),
  "Store.config": Effect.gen(function* () {
    const config = yield* ApiConfig
    yield* config.set(ConfigKey.make("list/b"), { b: 1 })
    yield* config.set(ConfigKey.make("list/a"), null)
    const client = yield* TapestryClient
    assert.deepStrictEqual(yield* client["Store.config"]({ prefix: "list/" }), yield* config.list({ prefix: "list/" }))
    assert.isAtLeast((yield* client["Store.config"]({})).length, 2)
  }),
  "Store.configValue": Effect.gen(function* () {
    const client = yield* TapestryClient
    const key = ConfigKey.make("read")
    assert.isNull(yield* client["Store.configValue"]({ key }))
    const entry = yield* (yield* ApiConfig).set(key, ["x", { y: null }], { description: "said" })
    assert.deepStrictEqual(yield* client["Store.configValue"]({ key }), entry)
  }),
  "Store.setConfig": Effect.gen(function* () {
    const client = yield* TapestryClient
    const key = ConfigKey.make("set")
    const first = yield* client["Store.setConfig"]({ key, value: { a: [1] }, description: "said", ifVersion: 0 })
    assert.deepInclude(first, { version: 1, value: { a: [1] }, description: "said" })
    assert.deepInclude(yield* client["Store.setConfig"]({ key, value: "x", description: null }), {
      version: 2,
      description: null
    })
    const { reason } = yield* Effect.flip(client["Store.setConfig"]({ key, value: "y", ifVersion: 1 })).pipe(
      Effect.filterOrFail((error) => error._tag === "ApiConfigError")
    )
    assert.deepInclude(reason, { _tag: "ConfigChanged", version: 2 })
    assert.strictEqual((yield* (yield* ApiConfig).get(key))?.value, "x")
  }),
  "Store.unsetConfig": Effect.gen(function* () {
    const client = yield* TapestryClient
    const key = ConfigKey.make("unset")
    yield* (yield* ApiConfig).set(key, 1)
    assert.isTrue(yield* client["Store.unsetConfig"]({ key, ifVersion: 1 }))
    assert.isFalse(yield* client["Store.unsetConfig"]({ key }))
  }),
  "Store.feedback": Effect.gen(function* () {
    const client = yield* TapestryClient
    const defaults = { vendor: "import-watched", symbol: "SPY" }
    yield* client["Store.submit"]({ kind: "quote", rows: [{ tsNs: "1", bid: 1, ask: 2 }], defaults })
    const events = yield* all(Stream.take(client["Store.feedback"](), 1))
    assert.deepInclude(events[0], { source: "store", level: "ok", reason: "queue_recovered" })
    assert.match(events[0]?.coordinator_id ?? "", /^batch:/)
  }),
  "Store.batches": Effect.gen(function* () {
    const client = yield* TapestryClient
    const rows = [{ tsNs: "1", price: 2 }]
    yield* client["Store.submit"]({ kind: "trade", rows, defaults: { vendor: "import-counted", symbol: "SPY" } })
    const stats = yield* client["Store.batches"]()
    assert.deepStrictEqual(stats, yield* (yield* BatchProcessor).stats)
    assert.isAtLeast(stats.find(({ kind }) => kind === "trade")?.committed ?? 0, 1)
  }),
  // A vendor that takes them is in test/layers/orders and test/programs/ibkrOrders.test.ts; the one of this world takes none.
  "Orders.place": ordersOf((client) =>
    client["Orders.place"]({
      vendor: "model",
      key: "desk-1",
      order: {
        symbol: "ALPHA",
        currency: null,
        side: "buy",
        quantity: 1,
        limit: 10.5,
        timeInForce: "gtc",
        account: null
      }
    })
  ),
  "Orders.cancel": ordersOf((client) => client["Orders.cancel"]({ vendor: "model", order: 1, client: null })),
  "Orders.list": ordersOf((client) => client["Orders.list"]({ vendor: "model" })),
  "Admin.migrate": Effect.gen(function* () {
    const { version } = yield* (yield* ControlPlane).schema
    const migrated = yield* asAdmin(secret)((yield* TapestryClient)["Admin.migrate"]())
    assert.deepStrictEqual(migrated, { applied: [], version })
  }),
  "Admin.stamp": Effect.gen(function* () {
    const { version } = yield* (yield* ControlPlane).schema
    const client = yield* TapestryClient
    const proven = yield* asAdmin(secret)(client["Admin.stamp"]({ version }))
    assert.deepStrictEqual(proven, { recorded: [], done: false })
    const refused = yield* Effect.flip(asAdmin(secret)(client["Admin.stamp"]({ version: 999, confirm: true })))
    assert.match(refused.message, /no schema version 999/)
  }),
  "Admin.policy": Effect.gen(function* () {
    const client = yield* TapestryClient
    // What it does is tested over a database that has policies (test/layers/jobs/deploymentJobs.test.ts).
    for (const change of [
      { policy: "compression", table: "bars", afterMillis: 1 },
      { policy: "retention", kind: "bar", timeframe: "1m", afterMillis: null },
      { policy: "aggregate", timeframe: "1h", everyMillis: 60_000 }
    ] as const) {
      const refused = yield* Effect.flip(asAdmin(secret)(client["Admin.policy"]({ change })))
      assert.match(refused.message, /needs TimescaleDB/)
    }
  }),
  "Admin.start": Effect.gen(function* () {
    const client = yield* TapestryClient
    const queue = yield* JobQueue
    const begun = yield* asAdmin(secret)(client["Admin.start"]({ task: { type: "migrate" } }))
    assert.isTrue(begun.created)
    assert.deepStrictEqual((yield* queue.get(begun.job.id)).job, begun.job)
    const again = yield* asAdmin(secret)(client["Admin.start"]({ task: { type: "migrate" } }))
    assert.deepStrictEqual(again, { job: begun.job, created: false }, "it is queued already")
    const payload = { table: "brs", olderThanMillis: 1 }
    const refused = yield* Effect.flip(asAdmin(secret)(client["Admin.start"]({ task: { type: "compress", payload } })))
    assert.match(refused.message, /brs is no table of rows; there are: bars/)
    yield* queue.cancel(begun.job.id, { asAdmin: true })
  }),
  "Calendar.list": Effect.gen(function* () {
    const list = yield* (yield* TapestryClient)["Calendar.list"]()
    assert.deepStrictEqual(list, yield* (yield* Calendar).list)
    assert.include(
      list.map(({ name }) => name),
      "XNYS"
    )
  }),
  "Calendar.sessions": Effect.gen(function* () {
    const range = between("1990-01-01", "2010-01-01")
    const sessions = yield* all((yield* TapestryClient)["Calendar.sessions"]({ name: "XHKG", range }))
    assert.deepStrictEqual(sessions, (yield* (yield* Calendar).get("XHKG")).sessions(range))
    assert.isAbove(sessions.length, 4_900)
  }),
  "Calendar.closures": Effect.gen(function* () {
    const range = between("2024-03-04T12:00Z", "2024-03-06")
    const closures = yield* all((yield* TapestryClient)["Calendar.closures"]({ name: "XNYS", range }))
    assert.deepStrictEqual(closures, [
      between("2024-03-04T12:00Z", "2024-03-04T14:30Z"),
      between("2024-03-04T21:00Z", "2024-03-05T14:30Z"),
      between("2024-03-05T21:00Z", "2024-03-06")
    ])
  })
}

/** `connect` is a client of a server over the services that it is given. */
export const handlersSuite = <E>(name: string, connect: Layer.Layer<TapestryClient, E, TapestryServices>): void =>
  layer(Layer.provideMerge(connect, world({ stream: { rate: 50 } })), { excludeTestServices: true })(
    `procedures (${name})`,
    (it) => {
      for (const [tag, row] of Object.entries(rows)) it.effect(tag, () => row)

      it.effect("all of the contract", () =>
        Effect.sync(() => assert.deepStrictEqual(Object.keys(rows).sort(), [...TapestryRpcs.requests.keys()].sort()))
      )
    }
  )
