/** Market data over HTTP, of a real server over a real data directory, its sample, and a vendor whose market follows from a seed. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Trouble } from "../../../../src/layers/testing/ModelVendor.ts"
import { NotEntitled, Throttled, Unavailable } from "../../../../src/services/Adapter.ts"
import { StitchingCache } from "../../../../src/services/StitchingCache.ts"
import { between, seriesOf, World, layer as world } from "../../handlers/world.ts"
import { servedWith } from "../../overTransports.ts"
import { ask } from "../support.ts"

/** What the vendor says of a symbol. */
const troubles: { [symbol: string]: Trouble } = {}

const get = Effect.fnUntraced(function* (path: string, headers: Readonly<Record<string, string>> = {}) {
  const { http } = yield* servedWith({})
  const answer = yield* ask(http?.port ?? 0, { path, headers })
  return { ...answer, json: JSON.parse(answer.text) }
}, Effect.scoped)

const symbols = ["ALPHA", "BETA", "GAMMA", "EARLY", "LATE", "MINE", "SLOW", "AWAY"]

layer(world({ symbols, forbidden: ["MINE"], stream: { rate: 5 }, trouble: ({ symbol }) => troubles[symbol] ?? null }), {
  excludeTestServices: true
})("GET /prices", (it) => {
  it.effect("gives the newest bars before an instant, as the store then has them", () =>
    Effect.gen(function* () {
      const path = "/prices?symbol=ALPHA&interval=1h&limit=5&end=2024-03-04T12:00Z&vendor=model"
      const { headers, json, status } = yield* get(path)
      assert.strictEqual(status, 200)
      assert.match(headers["content-type"] ?? "", /^application\/json/)
      const range = between("2024-03-04T07:00Z", "2024-03-04T12:00Z")
      const { bars } = json
      assert.deepInclude(json, {
        symbol: "ALPHA",
        vendor: "model",
        interval: "1h",
        what: "TRADES",
        count: 5,
        complete: true,
        missing: [],
        start: "2024-03-04T07:00:00.000Z",
        end: "2024-03-04T12:00:00.000Z",
        next: null
      })
      const { vendor } = yield* World
      const truth = yield* vendor.direct(seriesOf("ALPHA", "1h"), range)
      assert.deepStrictEqual(
        bars,
        truth.map(({ ts, ...rest }) => ({ ts: new Date(ts).toISOString(), ...rest }))
      )
      const asked = (yield* vendor.log).length
      assert.deepStrictEqual((yield* get(path)).json.bars, bars)
      assert.strictEqual((yield* vendor.log).length, asked, "nothing is fetched twice")
      const plan = yield* (yield* StitchingCache).plan({ series: seriesOf("ALPHA", "1h"), range })
      assert.strictEqual(plan.requests.length, 0)
    })
  )

  it.effect("reaches as far back as it takes, over time in which the market is closed", () =>
    Effect.gen(function* () {
      const { json } = yield* get("/prices?symbol=SPX&vendor=sample&limit=30&end=2009-01-05")
      assert.strictEqual(json.count, 30)
      assert.strictEqual(json.complete, true)
      assert.strictEqual(json.bars.at(-1).ts, "2009-01-02T00:00:00.000Z")
      assert.strictEqual(json.start, json.bars[0].ts)
      assert.strictEqual(json.coverage[0].start, json.start)
      assert.strictEqual(json.coverage.at(-1).end, json.end)
    })
  )

  it.effect("gives pages from an instant on, each with what is known of its part", () =>
    Effect.gen(function* () {
      const found: Array<{ readonly ts: string }> = []
      let start: string | null = "2024-03-04"
      let pages = 0
      while (start !== null) {
        const query: string = `symbol=BETA&interval=1h&limit=10&end=2024-03-05&vendor=model&start=${start}`
        const { json } = yield* get(`/prices?${query}`)
        assert.strictEqual(json.coverage[0].start, new Date(start).toISOString())
        assert.strictEqual(json.coverage.at(-1).end, json.end)
        found.push(...json.bars)
        start = json.next
        pages++
      }
      assert.strictEqual(pages, 3)
      assert.deepStrictEqual(
        found.map(({ ts }) => ts),
        Array.from({ length: 24 }, (_, hour) => new Date(Date.UTC(2024, 2, 4, hour)).toISOString())
      )
    })
  )

  it.effect("asks the vendor for no more than a page needs, however long ago it starts", () =>
    Effect.gen(function* () {
      const { vendor } = yield* World
      const before = (yield* vendor.log).length
      const { json } = yield* get("/prices?symbol=GAMMA&interval=1m&limit=10&vendor=model&start=2024-03-04")
      assert.strictEqual(json.count, 10)
      assert.strictEqual(json.next, "2024-03-04T00:10:00.000Z")
      const asked = (yield* vendor.log).slice(before).map(({ range }) => range.end)
      assert.isAtMost(Math.max(...asked), Date.UTC(2024, 2, 4, 1))
    })
  )

  it.effect("has a page of nothing where there is nothing for long, and says where to go on", () =>
    Effect.gen(function* () {
      const { json } = yield* get("/prices?symbol=SPX&vendor=sample&limit=1&start=1900-01-01")
      assert.deepInclude(json, { count: 0, complete: true, next: new Date(Date.UTC(1900, 0, 1 + 512)).toISOString() })
    })
  )

  it.effect("goes on over what is known not to be had, and says so", () =>
    Effect.gen(function* () {
      const path = (start: string) => `/prices?symbol=EARLY&interval=1h&vendor=model&limit=3&start=${start}`
      assert.strictEqual((yield* get(path("2024-03-04T12:00Z"))).json.complete, true)
      troubles.EARLY = new NotEntitled({ message: "not that far back" })
      const { json } = yield* get(path("2024-03-04T06:00Z"))
      assert.strictEqual(json.complete, false)
      assert.strictEqual(json.bars[0].ts, "2024-03-04T12:00:00.000Z")
      assert.strictEqual(json.next, "2024-03-04T15:00:00.000Z")
      assert.strictEqual(json.missing[0].start, "2024-03-04T06:00:00.000Z")
      assert.strictEqual(json.missing.at(-1).end, "2024-03-04T12:00:00.000Z")
    })
  )

  it.effect("is never short in silence: what could not be had is named, with why", () =>
    Effect.gen(function* () {
      const path = (start: string) =>
        `/prices?symbol=LATE&interval=1h&vendor=model&start=${start}&end=2024-03-05T00:00Z&limit=100`
      assert.strictEqual((yield* get(path("2024-03-04T12:00Z"))).json.complete, true)
      troubles.LATE = new NotEntitled({ message: "not that far back" })
      const { json, status } = yield* get(path("2024-03-04T06:00Z"))
      assert.strictEqual(status, 200)
      assert.strictEqual(json.complete, false)
      assert.strictEqual(json.count, 12)
      assert.deepStrictEqual(json.missing, [
        {
          start: "2024-03-04T06:00:00.000Z",
          end: "2024-03-04T12:00:00.000Z",
          state: "NotEntitled",
          why: "the account has no right to it"
        }
      ])
    })
  )

  it.effect("says which parameter is wrong, and what it could be", () =>
    Effect.gen(function* () {
      for (const [query, parameter, words] of [
        ["", "symbol", /Missing key/],
        ["symbol=ALPHA&interval=7m", "interval", /"1m" \| "2m"/],
        ["symbol=ALPHA&limit=0", "limit", /between 1 and 5000/],
        ["symbol=ALPHA&limit=ten", "limit", /./],
        ["symbol=ALPHA&what=LAST", "what", /"MIDPOINT"/],
        ["symbol=ALPHA&start=2024-03-04T10:00", "start", /Z|offset/],
        ["symbol=ALPHA&strat=2024-03-04", "strat", /nexpected|excess/]
      ] as const) {
        const answer = yield* get(`/prices?${query}&vendor=model`)
        assert.strictEqual(answer.status, 400, query)
        assert.strictEqual(answer.headers["content-type"], "application/problem+json")
        const [wrong] = answer.json.errors
        assert.deepStrictEqual(wrong.path, ["query", parameter], query)
        assert.match(wrong.message, words)
      }
      assert.strictEqual((yield* get("/prices?symbol=ALPHA&vendor=nobody")).status, 404)
      const backwards = yield* get("/prices?symbol=ALPHA&vendor=model&start=2024-03-05&end=2024-03-04")
      assert.strictEqual(backwards.status, 400)
    })
  )

  it.effect("takes what a form leaves empty as not said, and the only vendor as meant", () =>
    Effect.gen(function* () {
      const { json, status } = yield* get(
        "/prices?symbol=ALPHA&interval=1h&limit=&what=&start=&end=2024-03-04T12:00Z&vendor="
      )
      assert.strictEqual(status, 200)
      assert.deepInclude(json, { vendor: "model", count: 100, what: "TRADES" })
    })
  )

  // The last, since a vendor that throttles is left alone.
  it.effect("of what cannot be had at all is refused as what it is", () =>
    Effect.gen(function* () {
      troubles.SLOW = new Throttled({ retryAfter: 3_600_000 })
      troubles.AWAY = new Unavailable({ message: "nobody there" })
      for (const [symbol, status, error] of [
        ["NOBODY", 404, "StitchingCacheError/VendorError/NotFound"],
        ["MINE", 403, "StitchingCacheError/VendorError/NotEntitled"],
        ["SLOW", 429, "StitchingCacheError/VendorError/Throttled"]
      ] as const) {
        const answer = yield* get(`/prices?symbol=${symbol}&vendor=model&limit=3&end=2024-03-05`)
        assert.deepInclude(answer.json, { status, error }, symbol)
        assert.strictEqual(answer.status, status)
        assert.strictEqual(answer.headers["content-type"], "application/problem+json")
        if (status === 429) assert.isAbove(Number(answer.headers["retry-after"]), 60)
      }
    })
  )
})

layer(world({ symbols: ["ALPHA"], stream: { rate: 5 } }), { excludeTestServices: true })(
  "GET /options, /contracts, /positions and /account",
  (it) => {
    it.effect("tell the chains of an underlying, and say when there is more", () =>
      Effect.gen(function* () {
        const all = (yield* get("/options?symbol=ALPHA&max_contracts=100000")).json
        assert.deepInclude(all, { symbol: "ALPHA", vendor: "model", expiry: null, truncated: false })
        const [chain] = all.chains
        assert.strictEqual(all.contracts, chain.expirations.length * chain.strikes.length * 2)
        const date: string = chain.expirations[1]
        const one = (yield* get(`/options?symbol=ALPHA&expiry=${date.replaceAll("-", "")}&max_contracts=8`)).json
        assert.deepInclude(one, { expiry: date, contracts: 8, truncated: true })
        assert.deepStrictEqual(one.chains[0].expirations, [date])
        assert.strictEqual(all.quotes, null)
        assert.deepInclude(one.quotes, { underlying: "ALPHA", expiry: date })
        assert.strictEqual(one.quotes.rows.length + one.quotes.omitted.length, 8)
        assert.isAbove(one.quotes.rows[0].ask, one.quotes.rows[0].bid)
        const at = chain.strikes.indexOf(one.chains[0].strikes[0])
        assert.deepStrictEqual(one.chains[0].strikes, chain.strikes.slice(at, at + 4))
        assert.closeTo(at + 2, chain.strikes.length / 2, 1, "around the price")
        assert.deepInclude((yield* get("/options?symbol=ALPHA&expiry=19991231")).json, { contracts: 0, chains: [] })
        assert.strictEqual((yield* get("/options?symbol=ALPHA&expiry=tomorrow")).status, 400)
        const many = yield* get(`/options?symbol=ALPHA&expiry=${date}&max_contracts=5000`)
        assert.deepInclude(many.json, { status: 422, error: "ContractLookupsError/TooManyContracts" })
        assert.strictEqual((yield* get("/options?symbol=NOBODY")).status, 404)
        const none = yield* get("/options?symbol=SPX&vendor=sample")
        assert.deepInclude(none.json, { status: 422, error: "ContractLookupsError/LookupNotOffered" })
      })
    )

    it.effect("refuse a day that there is not", () =>
      Effect.gen(function* () {
        for (const expiry of ["20261399", "2026-02-30", "soon"]) {
          const { json, status } = yield* get(`/options?symbol=ALPHA&expiry=${expiry}`)
          assert.strictEqual(status, 400, expiry)
          assert.deepStrictEqual(json.errors[0].path, ["query", "expiry"])
        }
      })
    )

    it.effect("describe contracts", () =>
      Effect.gen(function* () {
        const { json } = yield* get("/contracts?symbol=alpha")
        assert.strictEqual(json.vendor, "model")
        assert.deepInclude(json.contracts[0], { symbol: "ALPHA", kind: "stock", currency: "USD" })
      })
    )

    it.effect("tell what the account holds and what its figures are, and of whose market", () =>
      Effect.gen(function* () {
        const { json } = yield* get("/positions")
        assert.deepInclude(json, {
          account: "SIM1000001",
          vendor: "model",
          complete: true,
          stale: false,
          simulated: true,
          data_type: "simulated"
        })
        assert.deepStrictEqual(
          json.positions.map(({ symbol }: { symbol: string }) => symbol),
          ["ALPHA"]
        )
        const figures = (yield* get("/account?account_id=sim1000001")).json
        assert.deepInclude(figures, { account: "SIM1000001", complete: true, simulated: true })
        const tags = figures.values.map(({ tag }: { tag: string }) => tag)
        assert.includeMembers(tags, ["NetLiquidation", "BuyingPower"])
        const other = yield* get("/positions?account_id=DU1")
        assert.deepInclude(other.json, { status: 404, error: "MarketStreamsError/VendorError/NotFound" })
        assert.strictEqual((yield* get("/positions?vendor=sample")).status, 422)
      })
    )

    it.effect("are of the tenant that is named", () =>
      Effect.gen(function* () {
        for (const path of ["/prices?symbol=ALPHA&vendor=model", "/positions", "/contracts?symbol=ALPHA"]) {
          assert.strictEqual((yield* get(path, { "tapestry-tenant": "nobody" })).status, 404, path)
          assert.strictEqual((yield* get(path, { "tapestry-tenant": "No Name" })).status, 400, path)
        }
      })
    )
  }
)
