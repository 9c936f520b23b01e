/** One server, several tenants: which one a call is about, over every transport and by HTTP. */
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, Redacted, Stream } from "effect"
import { TenantName } from "../../../src/domain/Tenant.ts"
import { sqliteUpkeep } from "../../../src/layers/market/upkeep/sqliteUpkeep.ts"
import * as HttpClient from "../../../src/rpc/client/HttpClient.ts"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import * as TcpClient from "../../../src/rpc/client/TcpClient.ts"
import * as UnixClient from "../../../src/rpc/client/UnixClient.ts"
import * as WebSocketClient from "../../../src/rpc/client/WebSocketClient.ts"
import { errorPath } from "../../../src/rpc/handlers/errorPath.ts"
import type { Addresses } from "../../../src/rpc/server/Served.ts"
import { TenantError } from "../../../src/services/TenantError.ts"
import { secret } from "../adminToken.ts"
import { between, seriesOf, World, layer as world } from "../handlers/world.ts"
import { ask } from "../http/support.ts"
import { everywhere } from "../overTransports.ts"

const clients: { readonly [name: string]: (of: Addresses, tenant?: string) => Layer.Layer<TapestryClient> } = {
  TCP: ({ tcp }, tenant) => TcpClient.layer({ host: "127.0.0.1", port: tcp?.port ?? 0, ...named(tenant) }),
  Unix: ({ socket }, tenant) => UnixClient.layer({ path: socket ?? "", ...named(tenant) }),
  HTTP: ({ http }, tenant) => HttpClient.layer({ url: `http://127.0.0.1:${http?.port}/rpc`, ...named(tenant) }),
  WebSocket: ({ http }, tenant) => WebSocketClient.layer({ url: `ws://127.0.0.1:${http?.port}/rpc`, ...named(tenant) })
}
const named = (tenant: string | undefined) => (tenant === undefined ? {} : { tenant })

const series = seriesOf("ALPHA", "1h")
const range = between("2024-03-04T14:00Z", "2024-03-04T20:00Z")

const addTenants = (...names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { dataDir } = yield* World
    const { tenants } = yield* sqliteUpkeep(join(dataDir, "market.sqlite"), false)
    for (const name of names) yield* tenants.add(TenantName.make(name))
  }).pipe(Effect.scoped)

const symbols = ["ALPHA", "BETA", "GAMMA", "DELTA"]
layer(world({ symbols, stream: { rate: 50 } }), { excludeTestServices: true })("tenants of one server", (it) => {
  for (const [transport, connect] of Object.entries(clients)) {
    it.effect(`each sees its own bars over ${transport}`, () =>
      Effect.gen(function* () {
        const [one, two] = [`one-${transport.toLowerCase()}`, `two-${transport.toLowerCase()}`]
        yield* addTenants(one, two)
        const addresses = yield* everywhere
        const clientOf = (tenant?: string) =>
          Effect.map(Layer.build(connect(addresses, tenant)), Context.get(TapestryClient))
        const [own, a, b] = [yield* clientOf(), yield* clientOf(one), yield* clientOf(two)]
        const { vendor } = yield* World
        const stored = (client: TapestryClient["Service"]) =>
          Stream.runCollect(client["Series.coverage"]({ series, range })).pipe(
            Effect.map((intervals) =>
              intervals.some(({ state }) => state._tag !== "Missing" && state._tag !== "Closed")
            )
          )
        const requests = Effect.map(vendor.log, ({ length }) => length)
        const asked = yield* requests
        const bars = yield* Stream.runCollect(a["Series.bars"]({ series, range }))
        assert.isAbove(bars.length, 3)
        assert.strictEqual(yield* requests, asked + 1)
        assert.isTrue(yield* stored(a))
        assert.isFalse(yield* stored(b))
        // Its own archive, so it asks the vendor for itself.
        assert.deepStrictEqual(yield* Stream.runCollect(b["Series.bars"]({ series, range })), bars)
        assert.strictEqual(yield* requests, asked + 2)
        assert.strictEqual((yield* Stream.runCollect(own["Archive.sessions"]({}))).length, 0)
        assert.strictEqual((yield* Stream.runCollect(a["Archive.sessions"]({}))).length, 1)
        assert.isFalse(yield* stored(own))
      })
    )

    it.effect(`live streams are those of all over ${transport}: the vendor is asked once`, () =>
      Effect.gen(function* () {
        const name = `live-${transport.toLowerCase()}`
        yield* addTenants(name)
        const addresses = yield* everywhere
        const { vendor } = yield* World
        const opened = vendor.stream?.opened() ?? 0
        const symbol = symbols[Object.keys(clients).indexOf(transport)] ?? ""
        const tradesFor = (tenant?: string) =>
          Effect.map(Layer.build(connect(addresses, tenant)), (context) =>
            Stream.filter(
              Context.get(context, TapestryClient)["Streams.subscribe"]({
                vendor: "model",
                streams: [{ symbol, kind: "trades" }]
              }),
              ({ event }) => event._tag === "Trades"
            )
          )
        // Held open until the other has its own, however long a tenant takes to be opened.
        const came = yield* Deferred.make<void>()
        const own = yield* tradesFor()
        yield* Effect.forkScoped(Stream.runForEach(own, () => Deferred.succeed(came, undefined)))
        yield* Deferred.await(came)
        const had = yield* Stream.runHead(yield* tradesFor(name))
        assert.strictEqual(had._tag, "Some")
        assert.strictEqual(vendor.stream?.opened(), opened + 1)
      })
    )

    it.effect(`one that is not there, or no name, is refused in words over ${transport}`, () =>
      Effect.gen(function* () {
        const addresses = yield* everywhere
        const refused = (tenant: string) =>
          Effect.gen(function* () {
            const client = yield* Effect.map(Layer.build(connect(addresses, tenant)), Context.get(TapestryClient))
            const unary = yield* Effect.flip(client["System.health"]())
            const streamed = yield* Effect.flip(Stream.runCollect(client["Series.bars"]({ series, range })))
            assert.instanceOf(unary, TenantError)
            assert.deepStrictEqual(streamed, unary)
            return unary
          })
        const nobody = `nobody-${transport.toLowerCase()}`
        const unknown = yield* refused(nobody)
        assert.strictEqual(unknown._tag === "TenantError" ? unknown.reason._tag : "", "NoSuchTenant")
        assert.include(unknown.message, `no tenant ${nobody}`)
        assert.include(unknown.message, `tapestry tenants add ${nobody}`)
        const malformed = yield* refused("No Name!")
        assert.strictEqual(malformed._tag === "TenantError" ? malformed.reason._tag : "", "TenantMalformed")
        assert.include(malformed.message, '"No Name!"')
        // It is asked for again when it has been added.
        yield* addTenants(nobody)
        const client = yield* Effect.map(Layer.build(connect(addresses, nobody)), Context.get(TapestryClient))
        assert.isTrue((yield* client["System.health"]()).ready)
      })
    )
  }

  it.effect(
    "what changes the deployment is refused to who names another tenant, and done for who names that of the server",
    () =>
      Effect.gen(function* () {
        yield* addTenants("deployer")
        const addresses = yield* everywhere
        const clientOf = (tenant: string) =>
          Effect.map(
            Layer.build(UnixClient.layer({ path: addresses.socket ?? "", tenant })),
            Context.get(TapestryClient)
          )
        const other = yield* clientOf("deployer")
        const { expected } = yield* other["Store.version"]()
        const task = { type: "migrate" } as const
        for (const call of [
          other["Admin.migrate"](),
          other["Admin.stamp"]({ version: expected }),
          other["Admin.policy"]({ change: { policy: "aggregate", timeframe: "1h", everyMillis: null } }),
          other["Admin.start"]({ task })
        ]) {
          const error = yield* Effect.flip(call as Effect.Effect<unknown, { readonly message: string }>)
          assert.strictEqual(errorPath(error), "AdminError/NotOfTenant")
          assert.include(error.message, "deployer")
        }
        const own = yield* clientOf("default")
        assert.deepStrictEqual(yield* own["Admin.migrate"](), { applied: [], version: expected })
      })
  )

  it.effect("the control plane asks for a tenant by the same header", () =>
    Effect.gen(function* () {
      yield* addTenants("curl", "curled")
      const { http } = yield* everywhere
      const of = (tenant: string, method: string, path: string, body = "") =>
        ask(http?.port ?? 0, {
          method,
          path,
          headers: { "tapestry-tenant": tenant, authorization: `Bearer ${Redacted.value(secret)}` },
          ...(body === "" ? {} : { body })
        })
      const problem = ({ text }: { readonly text: string }): Record<string, unknown> => JSON.parse(text)

      const unknown = yield* of("nobody", "GET", "/schema/version")
      assert.strictEqual(unknown.status, 404)
      assert.strictEqual(problem(unknown).error, "TenantError/NoSuchTenant")
      assert.include(String(problem(unknown).detail), "tapestry tenants add nobody")
      const malformed = yield* of("-", "GET", "/schema/version")
      assert.strictEqual(malformed.status, 400)
      assert.strictEqual(problem(malformed).error, "TenantError/TenantMalformed")
      assert.strictEqual((yield* of("curl", "GET", "/schema/version")).status, 200)

      for (const path of ["/migrate", "/retention/apply", "/refresh/aggregate"]) {
        const refused = yield* of("curl", "POST", path)
        assert.strictEqual(refused.status, 403, path)
        assert.strictEqual(problem(refused).error, "AdminError/NotOfTenant")
      }
      const body = JSON.stringify({
        vendor: "model",
        symbols: ["ALPHA"],
        timeframe: "1d",
        range: between("2024-01-01", "2024-02-01")
      })
      const begun = yield* of("curl", "POST", "/backfill/nightly", body)
      assert.strictEqual(begun.status, 202, begun.text)
      const { job } = JSON.parse(begun.text)
      assert.strictEqual((yield* of("curl", "GET", `/jobs/${job}`)).status, 200)
      for (const tenant of ["curled", "default"]) {
        assert.strictEqual((yield* of(tenant, "GET", `/jobs/${job}`)).status, 404, tenant)
        assert.strictEqual((yield* of(tenant, "POST", "/backfill/nightly")).status, 404, tenant)
      }
      // Of a POST of calls it holds for all of them, and is the affair of each: one that names another is of that one.
      const line = (id: number, headers: ReadonlyArray<readonly [string, string]> = []) =>
        `${JSON.stringify({ _tag: "Request", id, tag: "Jobs.get", payload: { job }, headers })}\n`
      const calls = yield* of("curled", "POST", "/rpc", line(1) + line(2, [["tapestry-tenant", "curl"]]))
      assert.strictEqual(calls.status, 200)
      const ends = new Map(
        calls.text
          .trim()
          .split("\n")
          .map((text) => JSON.parse(text))
          .map((end): [number, string] => [end.requestId, end.exit._tag])
      )
      assert.deepStrictEqual([ends.get(1), ends.get(2)], ["Failure", "Success"])
      const refused = yield* of("No Name", "POST", "/rpc", line(1))
      assert.strictEqual(refused.status, 400)
      assert.include(refused.text, "TenantMalformed")
    })
  )
})
