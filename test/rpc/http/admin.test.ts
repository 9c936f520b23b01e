/** What changes the deployment, over HTTP of a real server: who may, and that the work is done. */
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer, Redacted, Stream } from "effect"
import { JobId } from "../../../src/domain/Job.ts"
import type { TapestryServices } from "../../../src/layers/Tapestry.ts"
import { asAdmin } from "../../../src/rpc/client/asAdmin.ts"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import * as TcpClient from "../../../src/rpc/client/TcpClient.ts"
import { JobQueue } from "../../../src/services/JobQueue.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { adminToken, secret } from "../adminToken.ts"
import { between, seriesOf, type World, layer as world } from "../handlers/world.ts"
import { servedWith } from "../overTransports.ts"
import { ask } from "./support.ts"

const authorization = `Bearer ${Redacted.value(secret)}`

interface Asking {
  readonly path: string
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A server, and how to ask it as one who may. */
const started = Effect.fnUntraced(function* (options: Parameters<typeof servedWith>[0] = { adminToken }) {
  const addresses = yield* servedWith(options)
  const port = addresses.http?.port ?? 0
  const asked = ({ body, headers = {}, method = "POST", path }: Asking) =>
    Effect.map(
      ask(port, {
        path,
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
      }),
      (answer) => ({ ...answer, json: JSON.parse(answer.text) })
    )
  const asAdmin = (asking: Asking) => asked({ ...asking, headers: { authorization, ...asking.headers } })
  return { addresses, asked, asAdmin }
})

/** Has the jobs run, and gives what GET /jobs/{id} says of one when it has ended. */
const ended = Effect.fnUntraced(function* ({ asked }: Effect.Success<ReturnType<typeof started>>, id: string) {
  const queue = yield* JobQueue
  yield* Effect.raceFirst(queue.work({ only: [JobId.make(id)] }), Stream.runDrain(queue.watch(JobId.make(id))))
  const { json, status, text } = yield* asked({ path: `/jobs/${id}`, method: "GET" })
  assert.strictEqual(status, 200, text)
  return json
})

const posts: ReadonlyArray<string> = ["/migrate", "/retention/apply", "/refresh/aggregate", "/backfill/nightly"]
const suite: Layer.Layer<TapestryServices | World> = world()

layer(suite, { excludeTestServices: true })("POST of the control plane", (it) => {
  for (const path of posts) {
    it.effect(`${path}: 401 without the token or with another one, 403 where there is none`, () =>
      Effect.gen(function* () {
        const { asked } = yield* started()
        const queue = yield* JobQueue
        const before = (yield* queue.list()).length
        const missing = yield* asked({ path })
        assert.strictEqual(missing.status, 401)
        assert.match(missing.headers["content-type"] ?? "", /^application\/problem\+json/)
        assert.strictEqual(missing.headers["www-authenticate"], 'Bearer realm="tapestry"')
        assert.deepInclude(missing.json, { title: "Unauthorized", error: "AdminError/Unauthenticated" })
        for (const wrong of ["Bearer changeme", `${authorization}x`, authorization.slice(0, -1)]) {
          const refused = yield* asked({ path, headers: { authorization: wrong } })
          assert.strictEqual(refused.status, 401)
          assert.strictEqual(refused.headers["www-authenticate"], 'Bearer realm="tapestry", error="invalid_token"')
          assert.notInclude(refused.text, Redacted.value(secret))
        }
        const basic = yield* asked({ path, headers: { authorization: `Basic ${Redacted.value(secret)}` } })
        assert.strictEqual(basic.status, 401)
        const { asked: offAsked } = yield* started({})
        for (const headers of [{}, { authorization }]) {
          const off = yield* offAsked({ path, headers })
          assert.strictEqual(off.status, 403)
          assert.deepInclude(off.json, { title: "Forbidden", error: "AdminError/AdminOff" })
          assert.match(off.json.detail, /TAPESTRY_ADMIN_TOKEN/)
        }
        assert.strictEqual((yield* queue.list()).length, before, "nothing was queued")
      })
    )
  }

  it.effect("/migrate runs what is pending as a job, and answers with its id", () =>
    Effect.gen(function* () {
      const server = yield* started()
      const { headers, json, status } = yield* server.asAdmin({ path: "/migrate" })
      assert.strictEqual(status, 202)
      assert.deepInclude(json, { state: "queued", created: true })
      assert.strictEqual(headers.location, `/jobs/${json.job}`)
      const again = yield* server.asAdmin({ path: "/migrate", body: "" })
      assert.deepStrictEqual(again.json, { ...json, created: false })
      const { job, run } = yield* ended(server, json.job)
      assert.deepInclude(job, { type: "migrate", state: "completed", error: null })
      assert.deepInclude(run, { status: "success", provider: "store" })
      const next = yield* server.asAdmin({ path: "/migrate" })
      assert.isTrue(next.json.created && next.json.job !== json.job, "what has ended is begun anew")
      yield* (yield* JobQueue).cancel(next.json.job, { asAdmin: true })
    })
  )

  it.effect("/retention/apply drops rows that are old, and what says that they are there", () =>
    Effect.gen(function* () {
      const server = yield* started()
      const market = yield* MarketStore
      const series = seriesOf("ALPHA", "1h")
      const range = between("2024-03-04", "2024-03-08")
      yield* (yield* StitchingCache).read({ series, range })
      assert.strictEqual(yield* market.count(series, range), 96)
      const body = { kind: "bar", timeframe: "1h", olderThanMillis: 86_400_000 }
      const { json, status, text } = yield* server.asAdmin({ path: "/retention/apply", body })
      assert.strictEqual(status, 202, text)
      const { job, run } = yield* ended(server, json.job)
      assert.deepInclude(job, { type: "retention", state: "completed", payload: body })
      assert.strictEqual(run.outcome.rows, 96)
      assert.strictEqual(yield* market.count(series, range), 0)
      assert.deepStrictEqual(yield* market.coverage(series, range), [])
    })
  )

  for (const path of ["/retention/apply", "/refresh/aggregate"]) {
    it.effect(`${path} without a body wants what an embedded store has none of, and says so once`, () =>
      Effect.gen(function* () {
        const server = yield* started()
        const { json } = yield* server.asAdmin({ path })
        const { job } = yield* ended(server, json.job)
        assert.deepInclude(job, { state: "failed", attempts: 1 })
        assert.match(job.error, /needs TimescaleDB/)
      })
    )
  }

  it.effect("says what cannot be read, and where", () =>
    Effect.gen(function* () {
      const { asAdmin } = yield* started()
      for (const [body, status, words] of [
        [{ kind: "bar" }, 400, /kind and olderThanMillis go together/],
        [{ kind: "trade", timeframe: "1m", olderThanMillis: 1 }, 400, /only bars have a timeframe/],
        [{ kind: "tulip", olderThanMillis: 1 }, 400, /kind/],
        ["{oops", 400, /JSON/],
        [`{"kind":"${"x".repeat(70_000)}"}`, 413, /65536 bytes/]
      ] as const) {
        const answer = yield* asAdmin({ path: "/retention/apply", body })
        assert.strictEqual(answer.status, status, answer.text)
        assert.match(answer.headers["content-type"] ?? "", /^application\/problem\+json/)
        assert.match(answer.text, words)
      }
      const text = yield* asAdmin({
        path: "/retention/apply",
        body: "kind=bar",
        headers: { "content-type": "text/csv" }
      })
      assert.strictEqual(text.status, 415)
      assert.deepInclude(text.json, { status: 415, title: "Unsupported Media Type" })
    })
  )

  it.effect("/backfill/{job} fetches as described, and the same again by its name", () =>
    Effect.gen(function* () {
      const server = yield* started()
      const market = yield* MarketStore
      const range = between("2024-03-04", "2024-03-05")
      const described = { vendor: "model", symbols: ["BETA"], timeframe: "1h", range }
      const unknown = yield* server.asAdmin({ path: "/backfill/desk" })
      assert.strictEqual(unknown.status, 404, unknown.text)
      assert.strictEqual(unknown.json.error, "JobQueueError/UnknownJob")
      // As `curl -d` sends it.
      const form = { "content-type": "application/x-www-form-urlencoded" }
      const first = yield* server.asAdmin({ path: "/backfill/desk", body: described, headers: form })
      assert.strictEqual(first.status, 202, first.text)
      const { job } = yield* ended(server, first.json.job)
      assert.deepInclude(job, { key: "desk", type: "backfill", state: "completed" })
      assert.strictEqual(yield* market.count(seriesOf("BETA", "1h"), range), 24)
      const second = yield* server.asAdmin({ path: "/backfill/desk" })
      assert.isTrue(second.json.created && second.json.job !== first.json.job)
      assert.deepInclude((yield* ended(server, second.json.job)).job, { state: "completed", payload: described })
      const strange = yield* server.asAdmin({ path: "/backfill/desk", body: { ...described, symbols: [] } })
      assert.strictEqual(strange.status, 400)
    })
  )

  it.effect("a backfill that waits for its schedule goes on waiting, and another one begins now", () =>
    Effect.gen(function* () {
      const server = yield* started()
      const queue = yield* JobQueue
      const payload = { vendor: "model", symbols: ["BETA"], timeframe: "1h", last: 86_400_000 }
      const spec = { key: "nightly", type: "backfill", payload, schedule: { cron: "0 2 * * *" } } as const
      const { job } = yield* queue.enqueue(spec)
      const { json } = yield* server.asAdmin({ path: "/backfill/nightly" })
      assert.isTrue(json.created && json.job !== job.id, JSON.stringify(json))
      assert.strictEqual((yield* queue.get(job.id)).job.state, "queued")
      assert.deepInclude((yield* queue.get(json.job)).job, { key: "nightly now", payload, notBefore: null })
      yield* queue.cancel(json.job, { asAdmin: true })
      yield* queue.cancel(job.id, { asAdmin: true })
    })
  )

  it.effect("what needs the token is queued by nobody else, over the RPC as well", () =>
    Effect.gen(function* () {
      const server = yield* started()
      const { tcp } = server.addresses
      yield* Effect.gen(function* () {
        const client = yield* TapestryClient
        for (const type of ["migrate", "retention", "compress", "refresh"]) {
          const spec = { key: "mine", type, payload: { table: "bars", olderThanMillis: 1 } }
          // Fields that a client adds are not passed on.
          const refused = yield* Effect.flip(client["Jobs.enqueue"](Object.assign({ spec }, { asAdmin: true })))
          assert.match(refused.message, /change the whole deployment/)
        }
        const { json } = yield* server.asAdmin({ path: "/migrate" })
        yield* ended(server, json.job)
        const admin = asAdmin(secret)
        for (const change of [
          Effect.asVoid(client["Jobs.retry"]({ job: json.job })),
          Effect.asVoid(client["Jobs.cancel"]({ job: json.job }))
        ]) {
          const refused = yield* Effect.flip(change)
          assert.match(refused.message, /change the whole deployment/)
        }
        // Those that changed the deployment stay; who has the token may do with them as with any other.
        const before = 9_000_000_000_000
        yield* client["Jobs.cleanup"]({ before })
        assert.strictEqual((yield* client["Jobs.get"]({ job: json.job })).job.state, "completed")
        const again = yield* admin(client["Jobs.retry"]({ job: json.job }))
        assert.isTrue(again.created)
        yield* admin(client["Jobs.cancel"]({ job: again.job.id }))
        assert.isAtLeast(yield* admin(client["Jobs.cleanup"]({ before })), 2)
        const gone = yield* Effect.flip(client["Jobs.get"]({ job: json.job }))
        assert.match(gone.message, /no job/)
      }).pipe(Effect.provide(TcpClient.layer({ host: "127.0.0.1", port: tcp?.port ?? 0 })))
    })
  )

  it.effect("GET /jobs/{id} knows ids and their first letters", () =>
    Effect.gen(function* () {
      const { asAdmin, asked } = yield* started()
      const { json } = yield* asAdmin({ path: "/migrate" })
      const short = yield* asked({ path: `/jobs/${json.job.slice(0, 8)}`, method: "GET" })
      assert.strictEqual(short.json.job.id, json.job)
      const unknown = yield* asked({ path: "/jobs/00000000-0000-4000-8000-000000000000", method: "GET" })
      assert.strictEqual(unknown.status, 404, unknown.text)
      assert.strictEqual(unknown.json.error, "JobQueueError/UnknownJob")
      const { json: metrics } = yield* Effect.map(asked({ path: "/openapi.json", method: "GET" }), (answer) => answer)
      assert.deepStrictEqual(metrics.paths["/migrate"].post.security, [{ adminToken: [] }])
      assert.isUndefined(metrics.paths["/jobs/{id}"].get.security?.[0])
      yield* (yield* JobQueue).cancel(json.job, { asAdmin: true })
    })
  )
})
