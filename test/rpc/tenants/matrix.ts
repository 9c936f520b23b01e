/**
 * Two tenants of one server, procedure by procedure: what one of them does is nothing that the other could notice, and the numbers of
 * one are good for nothing in the hands of the other.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, type Scope, Stream } from "effect"
import type { TenantName } from "../../../src/domain/Tenant.ts"
import type { TapestryConfig } from "../../../src/layers/config/TapestryConfig.ts"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import * as UnixClient from "../../../src/rpc/client/UnixClient.ts"
import { TapestryRpcs } from "../../../src/rpc/contract/TapestryRpcs.ts"
import { errorPath } from "../../../src/rpc/handlers/errorPath.ts"
import { JobLedger } from "../../../src/services/JobLedger.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { OpenTenants } from "../../../src/services/OpenTenants.ts"
import { acme, bolt } from "../../support/tenants.ts"
import { utc, World, layer as world } from "../handlers/world.ts"
import { servedWith } from "../overTransports.ts"
import { alpha, barsOf, type Client, fill, hours, jobSpec, type Known, nobody, rows } from "./rows.ts"

/** What says when, how long or how much of what everybody spends, and so differs from one call to the next. */
const volatile = new Set(["now", "plannedAt", "elapsedMillis", "used", "free", "nextFree", "log"])

/** What a call tells, with what it was given taken out: the ids, and where it fails the numbers that it names. */
const told = (call: (client: Client, known: Known) => Effect.Effect<unknown, unknown>, client: Client, known: Known) =>
  Effect.map(Effect.exit(call(client, known)), (exit) => {
    let text = JSON.stringify(
      Exit.isSuccess(exit) ? ["ok", exit.value] : ["failed", exit.cause.reasons],
      (key, value) => (volatile.has(key) ? 0 : typeof value === "bigint" ? `${value}n` : value)
    )
    for (const [name, value] of Object.entries(known)) {
      if (typeof value === "string") text = text.replaceAll(value, name)
      else if (Exit.isFailure(exit)) text = text.replaceAll(new RegExp(`\\b${value}\\b`, "g"), "number")
    }
    return text
  })

const ofKind = (kind: string) => Object.entries(rows).filter(([, row]) => row.kind === kind)

/** Those that do the work of many, and show nothing that others do not. */
const costly = new Set(["Series.rebuild", "Import.replay", "Import.check"])

/** Everything that a tenant sees. */
const seen = (client: Client, known: Known, without: ReadonlySet<string> = new Set()) =>
  Effect.forEach(
    ofKind("shows").filter(([tag]) => !without.has(tag)),
    ([tag, { call }]) => Effect.map(told(call, client, known), (text) => `${tag}: ${text}`)
  )

interface Two {
  readonly a: Client
  readonly b: Client
  readonly ofA: Effect.Effect<Known>
  readonly ofB: Effect.Effect<Known>
}

export interface MatrixStore {
  /** What the server is configured with, and how its tenants come to be in the store. */
  readonly config: Effect.Effect<Partial<TapestryConfig>, never, Scope.Scope>
  readonly addTenants: Effect.Effect<unknown, unknown, World | Scope.Scope>
}

export const tenantMatrix = (name: string, { addTenants, config }: MatrixStore): void => {
  const two = Effect.gen(function* () {
    yield* addTenants
    const addresses = yield* servedWith({})
    const tenants = yield* OpenTenants
    const { correct } = yield* World
    const clientOf = (tenant: string) =>
      Effect.map(Layer.build(UnixClient.layer({ path: addresses.socket ?? "", tenant })), Context.get(TapestryClient))
    const [a, b] = [yield* clientOf(acme.name), yield* clientOf(bolt.name)]
    let corrections = 0
    const filled = (client: Client, tenant: TenantName, of: number) =>
      Effect.gen(function* () {
        corrections += 1
        const at = utc("2024-04-01") + corrections
        const known = yield* fill(client, of, () => correct(hours, at))
        // What no call can do: a corporate action, and a job whose runner says nothing.
        const services = yield* tenants.services(tenant)
        yield* Context.get(services, MarketStore).commit({
          series: { ...alpha, timeframe: "1d" },
          response: known.response as never,
          fetchedAt: known.knownAt,
          decoderVersion: 1,
          bars: [],
          positions: [],
          coverage: [],
          actions: {
            rows: [{ ts: utc("2024-03-04"), kind: "split", numerator: of, denominator: 1 }],
            positions: [7],
            complete: null
          }
        })
        const ledger = Context.get(services, JobLedger)
        const { job } = yield* ledger.enqueue(jobSpec("silent"))
        const read = () =>
          Effect.succeed({ provider: "model", mode: "backfill" as const, symbols: ["ALPHA"], range: null })
        yield* ledger.claim({ runner: "elsewhere", only: [job.id], types: ["backfill"] }, read)
        return { ...known, running: job.id } satisfies Known
      }).pipe(Effect.scoped, Effect.orDie)
    const found: Two = { a, b, ofA: filled(a, acme.name, 100), ofB: filled(b, bolt.name, 500) }
    return found
  })
  const over = <A, E>(body: (two: Two) => Effect.Effect<A, E, Scope.Scope>) =>
    Effect.flatMap(config, (parts) => Effect.provide(Effect.flatMap(two, body), world({ stream: {} }, parts))).pipe(
      Effect.scoped
    )

  describe(`two tenants of one server (${name})`, () => {
    it("every procedure has a row", () => {
      assert.deepStrictEqual(Object.keys(rows).sort(), [...TapestryRpcs.requests.keys()].sort())
    })

    it.live("what one has, the other does not see, and nothing by the other's numbers", () =>
      over(({ a, b, ofA }) =>
        Effect.gen(function* () {
          const empty = yield* seen(b, nobody)
          const known = yield* ofA
          const ofOther = yield* seen(b, known)
          const own = yield* seen(a, known)
          for (const [at, [tag]] of ofKind("shows").entries()) {
            assert.strictEqual(ofOther[at], empty[at], tag)
            assert.notStrictEqual(own[at], empty[at], `${tag} shows what is one's own`)
          }
        })
      )
    )

    it.live("no call of one changes what the other has, whosever numbers it is given", () =>
      over(({ a, b, ofA, ofB }) =>
        Effect.gen(function* () {
          const knownA = yield* ofA
          const knownB = yield* ofB
          const before = yield* seen(a, knownA, costly)
          for (const [tag, { call }] of [...ofKind("changes"), ...ofKind("leaves")]) {
            yield* Effect.exit(call(b, knownA))
            yield* Effect.exit(call(b, knownB))
            assert.deepStrictEqual(yield* seen(a, knownA, costly), before, tag)
          }
          let last = before
          for (const [tag, { call }] of ofKind("changes")) {
            const exit = yield* Effect.exit(call(a, knownA))
            assert.isTrue(Exit.isSuccess(exit), `${tag}: ${JSON.stringify(exit)}`)
            const now = yield* seen(a, knownA, costly)
            assert.notDeepEqual(now, last, `${tag} does something`)
            last = now
          }
        })
      )
    )

    it.live("what is of the deployment is the same for both, and changed for neither", () =>
      over(({ a, b, ofA }) =>
        Effect.gen(function* () {
          yield* ofA
          for (const [tag, { call }] of ofKind("same")) {
            const of = yield* told(call, a, nobody)
            assert.match(of, /^\["ok"/, tag)
            assert.strictEqual(yield* told(call, b, nobody), of, tag)
          }
          for (const [tag, { call }] of ofKind("refused")) {
            for (const client of [a, b]) {
              assert.strictEqual(errorPath(yield* Effect.flip(call(client, nobody))), "AdminError/NotOfTenant", tag)
            }
          }
        })
      )
    )

    it.live("calls of both at once, over one server and its pool, are each about their own", () =>
      over(({ a, b }) =>
        Effect.gen(function* () {
          const series = {
            ...alpha,
            vendor: "import-bars",
            symbol: "DESK",
            timeframe: "1m",
            session: "regular"
          } as const
          const turn = Effect.fnUntraced(function* (client: Client, close: number) {
            yield* client["Store.submit"](barsOf(close))
            const [page, listed, receipt] = yield* Effect.all(
              [
                client["Series.page"]({ series, range: hours, policy: "cacheOnly", onMissing: "partial" }),
                Stream.runCollect(client["Series.list"]()),
                client["Series.latest"]({})
              ],
              { concurrency: "unbounded" }
            )
            return { closes: page.bars.map((bar) => bar.close), series: listed.length, latest: receipt.length }
          })
          const turns = Array.from({ length: 60 }, (_, at) => at)
          const ends = yield* Effect.forEach(
            turns,
            (at) => Effect.map(turn(at % 2 === 0 ? a : b, at % 2 === 0 ? 2 : 3), (end) => ({ at, end })),
            { concurrency: 12 }
          )
          for (const { at, end } of ends) {
            assert.deepStrictEqual(end, { closes: [at % 2 === 0 ? 2 : 3], series: 1, latest: 1 }, `turn ${at}`)
          }
        })
      )
    )
  })
}
