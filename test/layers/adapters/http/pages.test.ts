import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as LocalServer from "../../http/localServer.ts"
import { archived, attempt, read, using } from "./support.ts"

const day = 86_400_000
const start = Date.parse("2020-01-01T00:00:00Z")
/** Bars from the third to the 29th of January, whose close is their date. */
const rows = Array.from({ length: 27 }, (_, index) => ({
  t: start + (index + 2) * day,
  o: 1,
  h: 100,
  l: 1,
  c: index + 3,
  v: 1
}))
const all = rows.map((row) => row.c)
const whole = { from: "2020-01-01T00:00:00Z", to: "2020-02-01T00:00:00Z" }

const vendor = (url: string, paging: string) => `
vendors:
  v:
    adapter: http
    url: ${url}/bars/{symbol}
    query: { from: "{start}", to: "{end}" }
    time: { format: epoch-millis }
    timeframes: { 1d: {} }
    format: json
    pointer: /rows
    timestamp: epoch-millis
    columns: { ts: t, open: o, high: h, low: l, close: c, volume: v }
    pagination: ${paging}
`
const param = (url: string | undefined, name: string) => new URL(url ?? "", "http://x").searchParams.get(name)

const page = (from: number, size = 10) => rows.slice(from, from + size)

const allCovered = (states: ReadonlyArray<string>): void =>
  assert.isTrue(
    states.every((state) => state.endsWith("Covered")),
    states.join()
  )

describe("C26 answers in pages", () => {
  it.live("by number: until a page is not full; every page an exchange of its own", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((request, response) => {
        const number = Number(param(request.url, "page") ?? 1)
        response.end(JSON.stringify({ rows: page((number - 1) * 10) }))
      })
      yield* using(vendor(server.url, "{ kind: page, rows: 10 }"), () =>
        Effect.gen(function* () {
          const first = yield* read(whole)
          assert.deepStrictEqual(first.closes, all)
          assert.isTrue(
            first.states.every((state) => state.endsWith("Covered")),
            first.states.join()
          )
          assert.strictEqual(first.coverage[0]?.start, start)
          assert.strictEqual(first.coverage.at(-1)?.end, Date.parse(whole.to))
          assert.deepStrictEqual(
            server.seen.map((url) => param(url.slice(4), "page")),
            [null, "2", "3"]
          )
          assert.strictEqual((yield* archived()).length, 3)
          assert.strictEqual(first.requests, 3)
          assert.strictEqual((yield* read(whole)).requests, 0)
        })
      )
    })
  )

  const cursors: ReadonlyArray<
    readonly [string, string, (at: number, url: string) => readonly [Record<string, unknown>, Record<string, string>]]
  > = [
    [
      "a token in the body",
      "{ kind: cursor, parameter: after, pointer: /next }",
      (at) => [{ next: at < 27 ? `t${at}` : null }, {}]
    ],
    [
      "an address in the body",
      "{ kind: cursor, parameter: after, pointer: /next }",
      (at, url) => [at < 27 ? { next: `${url}/bars/ACME?after=t${at}` } : {}, {}]
    ],
    [
      "a Link header",
      "{ kind: cursor, parameter: after, link: true }",
      (at) => [{}, at < 27 ? { link: `</x>; rel="prev", </bars/ACME?after=t${at}>; rel="next"` } : {}]
    ]
  ]
  for (const [name, paging, next] of cursors) {
    it.live(`by cursor: ${name}`, () =>
      Effect.gen(function* () {
        let base = ""
        const server = yield* LocalServer.http((request, response) => {
          const from = Number((param(request.url, "after") ?? "t0").slice(1))
          const [body, headers] = next(from + 10, base)
          response.writeHead(200, headers).end(JSON.stringify({ rows: page(from), ...body }))
        })
        base = server.url
        yield* using(vendor(server.url, paging), () =>
          Effect.gen(function* () {
            const { closes, states } = yield* read(whole)
            assert.deepStrictEqual(closes, all)
            allCovered(states)
            assert.strictEqual(server.seen.length, 3)
          })
        )
      })
    )
  }

  it.live("by time: from behind the last row on, until a page is not full", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((request, response) => {
        const from = Number(param(request.url, "from"))
        response.end(JSON.stringify({ rows: rows.filter((row) => row.t >= from).slice(0, 9) }))
      })
      yield* using(vendor(server.url, "{ kind: time, rows: 9 }"), () =>
        Effect.gen(function* () {
          const { closes, states } = yield* read(whole)
          assert.deepStrictEqual(closes, all)
          allCovered(states)
          // 27 rows are three full pages, and one to know that there is no more.
          assert.strictEqual(server.seen.length, 4)
        })
      )
    })
  )

  it.live("by time: a vendor that gives the newest rows is refused, and what it left out is not covered", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((request, response) => {
        const [from, to] = [Number(param(request.url, "from")), Number(param(request.url, "to"))]
        response.end(JSON.stringify({ rows: rows.filter((row) => row.t >= from && row.t < to).slice(-9) }))
      })
      yield* using(vendor(server.url, "{ kind: time, rows: 9 }"), () =>
        Effect.gen(function* () {
          const { closes, coverage, states } = yield* read(whole)
          assert.deepStrictEqual(closes, all.slice(-9))
          assert.deepStrictEqual(states, [
            "2020-01-01 2020-01-21 Missing ",
            "2020-01-21 2020-01-29 Covered",
            "2020-01-29 2020-02-01 Missing Malformed"
          ])
          assert.include(JSON.stringify(coverage), "ask it for ascending order")
        })
      )
    })
  )

  for (const [name, end] of [
    ["is all there is, where nothing is in front of it", true],
    ["is so too of a vendor that knows no end", false]
  ] as const) {
    it.live(`by time: a full page with nothing behind it ${name}`, () =>
      Effect.gen(function* () {
        const server = yield* LocalServer.http((request, response) => {
          const from = Number(param(request.url, "from"))
          const to = end ? Number(param(request.url, "to")) : Number.POSITIVE_INFINITY
          response.end(JSON.stringify({ rows: rows.filter((row) => row.t >= from && row.t < to).slice(0, 27) }))
        })
        yield* using(vendor(server.url, "{ kind: time, rows: 27 }"), () =>
          Effect.gen(function* () {
            const { closes, states } = yield* read(whole)
            assert.deepStrictEqual(closes, all)
            allCovered(states)
            assert.strictEqual((yield* read(whole)).requests, 0)
            assert.strictEqual(server.seen.length, 4)
          })
        )
      })
    )
  }

  it.live(
    "by time: a vendor whose own cap is smaller than rows is asked on, behind a page that does not reach the end",
    () =>
      Effect.gen(function* () {
        const server = yield* LocalServer.http((request, response) => {
          const from = Number(param(request.url, "from"))
          response.end(JSON.stringify({ rows: rows.filter((row) => row.t >= from).slice(0, 5) }))
        })
        yield* using(vendor(server.url, "{ kind: time, rows: 9 }"), () =>
          Effect.gen(function* () {
            const { closes, states } = yield* read(whole)
            assert.deepStrictEqual(closes, all)
            allCovered(states)
            assert.strictEqual(server.seen.length, 7)
          })
        )
      })
  )

  it.live("by time and by number: a page that is not full and reaches the end of the range is the last", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => response.end(JSON.stringify({ rows: page(0, 27) })))
      for (const paging of ["{ kind: time, rows: 28 }", "{ kind: page, rows: 28 }"]) {
        const before = server.seen.length
        yield* using(vendor(server.url, paging), () =>
          Effect.gen(function* () {
            const { closes } = yield* read({ ...whole, to: "2020-01-30T00:00:00Z" })
            assert.deepStrictEqual(closes, all)
            assert.strictEqual(server.seen.length - before, 1)
          })
        )
      }
    })
  )

  const beyond: ReadonlyArray<readonly [string, (number: number) => readonly [number, ReadonlyArray<unknown>]]> = [
    ["is empty", (number) => [200, page((number - 1) * 6, 6)]],
    ["is not found", (number) => [number > 5 ? 404 : 200, page((number - 1) * 6, 6)]],
    ["is refused", (number) => [number > 5 ? 400 : 200, page((number - 1) * 6, 6)]],
    ["is the last one again", (number) => [200, page((Math.min(number, 5) - 1) * 6, 6)]]
  ]
  for (const [name, answered] of beyond) {
    it.live(
      `by number: a vendor whose own cap is smaller than rows is asked on; the page behind the last ${name}`,
      () =>
        Effect.gen(function* () {
          const server = yield* LocalServer.http((request, response) => {
            const [status, found] = answered(Number(param(request.url, "page") ?? 1))
            response.writeHead(status).end(JSON.stringify({ rows: found }))
          })
          yield* using(vendor(server.url, "{ kind: page, rows: 10 }"), () =>
            Effect.gen(function* () {
              const { closes, states } = yield* read(whole)
              assert.deepStrictEqual(closes, all)
              allCovered(states)
              assert.strictEqual(server.seen.length, 6)
              assert.strictEqual((yield* read(whole)).requests, 0)
            })
          )
        })
    )
  }

  it.live(
    "by number: a page behind one that was not full fails for another reason: what it asked for is not covered",
    () =>
      Effect.gen(function* () {
        const server = yield* LocalServer.http((request, response) => {
          const number = Number(param(request.url, "page") ?? 1)
          response.writeHead(number > 1 ? 403 : 200).end(JSON.stringify({ rows: page((number - 1) * 6, 6) }))
        })
        yield* using(vendor(server.url, "{ kind: page, rows: 10 }"), () =>
          Effect.gen(function* () {
            const { closes, states } = yield* read(whole)
            assert.deepStrictEqual(closes, all.slice(0, 6))
            assert.deepStrictEqual(states, [
              "2020-01-01 2020-01-03 Missing ",
              "2020-01-03 2020-01-08 Covered",
              "2020-01-08 2020-02-01 NotEntitled"
            ])
          })
        )
      })
  )

  it.live("a later page that fails leaves what came before it; the rest is asked for again, from there", () =>
    Effect.gen(function* () {
      let broken = true
      const server = yield* LocalServer.http((request, response) => {
        const from = Number(param(request.url, "from"))
        const found = rows.filter((row) => row.t >= from).slice(0, 10)
        if (broken && (found[0]?.c ?? 0) > 20) response.writeHead(400).end("boom")
        else response.end(JSON.stringify({ rows: found }))
      })
      yield* using(vendor(server.url, "{ kind: time, rows: 10 }"), () =>
        Effect.gen(function* () {
          const first = yield* read(whole)
          assert.deepStrictEqual(first.closes, all.slice(0, 20))
          assert.deepStrictEqual(first.states, [
            "2020-01-01 2020-01-03 Missing ",
            "2020-01-03 2020-01-12 Covered",
            "2020-01-12 2020-01-22 Covered",
            "2020-01-22 2020-02-01 Missing Rejected"
          ])
          broken = false
          const second = yield* read(whole)
          assert.deepStrictEqual(second.closes, all)
        })
      )
    })
  )

  const wrong: ReadonlyArray<readonly [string, string, (count: number, url: string | undefined) => object, string]> = [
    [
      "a cursor to itself",
      "{ kind: cursor, parameter: after, pointer: /next }",
      (count) => ({ rows: page((count - 1) * 10), next: "same" }),
      "the cursor leads to the page that it is on"
    ],
    [
      "a circle of two",
      "{ kind: cursor, parameter: after, pointer: /next }",
      (count) => ({ rows: page((count - 1) * 5, 5), next: count % 2 === 1 ? "a" : "b" }),
      "pages go in a circle"
    ],
    [
      "pages that run backwards",
      "{ kind: cursor, parameter: after, pointer: /next }",
      (count) => ({ rows: page(20 - (count - 1) * 10), next: `c${count}` }),
      "ask for them in ascending order"
    ],
    [
      "rows that run backwards",
      "{ kind: page, rows: 10 }",
      () => ({ rows: page(10).toReversed() }),
      "pages must ascend"
    ],
    [
      "more pages than allowed",
      "{ kind: page, rows: 5, maxPages: 2 }",
      (count) => ({ rows: page((count - 1) * 5, 5) }),
      "more than 2 pages"
    ],
    [
      "another address",
      "{ kind: cursor, parameter: after, pointer: /next }",
      () => ({ rows: page(0), next: "https://elsewhere.example/x" }),
      "at another address"
    ],
    [
      "a full page that does not advance",
      "{ kind: time, rows: 10 }",
      () => ({ rows: page(0) }),
      "has no row behind the page before it"
    ]
  ]
  for (const [name, paging, body, message] of wrong) {
    it.live(`${name}: Malformed, and what was not had is not covered`, () =>
      Effect.gen(function* () {
        const server = yield* LocalServer.http((request, response, count) =>
          response.end(JSON.stringify(body(count, request.url)))
        )
        yield* using(vendor(server.url, paging), () =>
          Effect.gen(function* () {
            const answer = yield* attempt(whole)
            assert.include(JSON.stringify(answer), message)
            if ("coverage" in answer) {
              for (const { end, start: from, state } of answer.coverage) {
                if (state._tag !== "Covered") continue
                // Nothing is covered but what the rows had prove.
                const claimed = rows.filter((row) => row.t >= from && row.t < end).map((row) => row.c)
                const had = answer.closes.filter((close) => claimed.includes(close))
                assert.deepStrictEqual(had, claimed)
              }
            }
            assert.isBelow(server.seen.length, 6)
          })
        )
      })
    )
  }
})
