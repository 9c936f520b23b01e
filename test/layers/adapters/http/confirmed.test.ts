import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { MarketStore } from "../../../../src/services/MarketStore.ts"
import * as LocalServer from "../../http/localServer.ts"
import { over, temporaryDirectory } from "../../stitching/support.ts"
import { adapterOf, archived, attempt, read, using } from "./support.ts"

const rows = (close: number) => `t,o,h,l,c\n2020-01-02,1,100,1,${close}\n2020-01-03,1,100,1,2\n`
const vendor = (url: string) => `
vendors:
  v:
    adapter: http
    url: ${url}/{symbol}.csv?a={start}
    timeframes: { 1d: {} }
    format: csv
    columns: { ts: t, open: o, high: h, low: l, close: c }
`
const range = { from: "2020-01-01T00:00:00Z", to: "2020-01-05T00:00:00Z" }

describe("C16 an answer that the vendor confirms", () => {
  it.live(
    "refresh asks whether it still holds; a 304 is a response of its own over the earlier bytes, a 200 a new answer",
    () =>
      Effect.gen(function* () {
        let body = rows(1)
        let etag = '"one"'
        const server = yield* LocalServer.http((request, response) => {
          const headers = { etag, "last-modified": "Thu, 02 Jan 2020 00:00:00 GMT", "content-type": "text/csv" }
          if (request.headers["if-none-match"] === etag) response.writeHead(304, { etag }).end()
          else response.writeHead(200, headers).end(body)
        })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const directory = yield* temporaryDirectory
            const adapter = yield* adapterOf(vendor(server.url))
            yield* Effect.gen(function* () {
              // What is provisional is asked for again by refresh; here all is final, so the answer is first made to count as missing.
              const first = yield* read(range)
              const market = yield* MarketStore
              const again = Effect.gen(function* () {
                yield* market.invalidate(
                  first.series,
                  { start: Date.parse(range.from), end: Date.parse(range.to) },
                  Date.now()
                )
                return yield* read({ ...range, policy: "refresh" })
              })
              yield* Effect.sleep(5)
              const confirmed = yield* again
              assert.deepStrictEqual(confirmed.closes, [1, 2])
              assert.deepStrictEqual(confirmed.states, ["2020-01-01 2020-01-05 Covered"])
              assert.strictEqual(server.headers[1]?.["if-modified-since"], "Thu, 02 Jan 2020 00:00:00 GMT")
              const [one, two] = yield* archived()
              assert.strictEqual(two?.status, "ok")
              assert.strictEqual(two?.metadata.transportStatus, 304)
              assert.strictEqual(two?.revalidated, one?.id)
              assert.strictEqual(two?.sha256, one?.sha256)
              assert.strictEqual(two?.metadata.contentType, "text/csv")
              assert.strictEqual(
                confirmed.coverage[0]?.state._tag === "Covered" ? confirmed.coverage[0].state.response : 0,
                two?.id
              )
              // A row that has not changed keeps the response that it came from first.
              const stored = yield* market.barAt(first.series, Date.parse("2020-01-02"))
              assert.strictEqual(stored?.lineage.response, one?.id)

              // Confirmed twice, then changed.
              yield* Effect.sleep(5)
              yield* again
              assert.strictEqual((yield* archived()).at(-1)?.revalidated, two?.id)
              body = rows(7)
              etag = '"two"'
              yield* Effect.sleep(5)
              assert.deepStrictEqual((yield* again).closes, [7, 2])
              const last = (yield* archived()).at(-1)
              assert.isUndefined(last?.revalidated)
              assert.strictEqual(last?.text, rows(7))
            }).pipe(Effect.provide(over(directory, [adapter])))
          })
        )
      })
  )

  for (const [status, state] of [
    [204, "Empty"],
    [200, "Missing Malformed"]
  ] as const) {
    it.live(`no bytes that came with ${status} are read as before when they are confirmed, and confirmed again`, () =>
      Effect.gen(function* () {
        const etag = '"none"'
        const server = yield* LocalServer.http((request, response) => {
          response.writeHead(request.headers["if-none-match"] === etag ? 304 : status, { etag }).end()
        })
        yield* using(
          vendor(server.url)
            .replace("format: csv", "format: json")
            .replace(/ +columns.*\n/, ""),
          () =>
            Effect.gen(function* () {
              const market = yield* MarketStore
              const expected = [`2020-01-01 2020-01-05 ${state}`]
              const first = yield* read(range)
              assert.deepStrictEqual(first.states, expected)
              for (let again = 0; again < 2; again++) {
                yield* Effect.sleep(5)
                const all = { start: Date.parse(range.from), end: Date.parse(range.to) }
                yield* market.invalidate(first.series, all, Date.now())
                assert.deepStrictEqual((yield* read({ ...range, policy: "refresh" })).states, expected)
              }
              const responses = yield* archived()
              assert.deepStrictEqual(
                responses.map(({ metadata }) => metadata.transportStatus),
                [status, 304, 304]
              )
              assert.deepStrictEqual(
                responses.map(({ metadata }) => metadata.confirmedStatus),
                [undefined, status, status]
              )
            })
        )
      })
    )
  }

  it.live("a vendor that answers 304 without having been asked is not believed", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => response.writeHead(304).end())
      yield* using(vendor(server.url), () =>
        Effect.gen(function* () {
          assert.include(JSON.stringify(yield* attempt(range)), "was not asked that")
          assert.strictEqual((yield* archived())[0]?.status, "error")
        })
      )
    })
  )
})

describe("C27 a vendor that asks to be left alone is", () => {
  it.live("no request is sent until then, also after a restart, and the answer says how long", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) =>
        response.writeHead(429, { "retry-after": "3600" }).end("slow down")
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const directory = yield* temporaryDirectory
          const adapter = yield* adapterOf(vendor(server.url))
          for (let restart = 0; restart < 2; restart++) {
            yield* Effect.gen(function* () {
              for (const symbol of ["ACME", "OTHER"]) {
                const answer = yield* attempt({ ...range, symbol })
                const text = JSON.stringify(answer)
                assert.match(text, /"_tag":"Throttled","retryAfter":3[56]\d{5}/)
              }
            }).pipe(Effect.provide(over(directory, [adapter])))
          }
          assert.strictEqual(server.seen.length, 1)
        })
      )
    })
  )
})
