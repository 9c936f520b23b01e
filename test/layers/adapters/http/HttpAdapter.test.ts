import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { inspect } from "node:util"
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Logger, References } from "effect"
import { ProvenanceStore } from "../../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../../src/services/StitchingCache.ts"
import * as LocalServer from "../../http/localServer.ts"
import { adapterOf, archived, attempt, iso, read, using } from "./support.ts"

const day = 86_400_000
const stamp = (text: string) => Date.parse(`${text}T00:00:00Z`)
/** A bar for each day of January 2020 whose close is its date. */
const january = Array.from({ length: 31 }, (_, index) => ({
  t: (stamp("2020-01-01") + index * day) / 1000,
  o: 1,
  h: 100,
  l: 1,
  c: index + 1,
  v: 10
}))
const paramsOf = (url: string | undefined) => new URL(url ?? "", "http://x").searchParams
const between = (url: string | undefined) => {
  const params = paramsOf(url)
  return january.filter((row) => row.t >= Number(params.get("from")) && row.t < Number(params.get("to")))
}

const vendor = (url: string, more = "") => `
vendors:
  v:
    adapter: http
    url: ${url}/bars/{symbol}
    query: { from: "{start}", to: "{end}", tf: "{timeframe}" }
    time: { format: epoch-seconds }
    timeframes: { 1d: { as: day } }
    format: json
    pointer: /results
    timestamp: epoch-seconds
    columns: { ts: t, open: o, high: h, low: l, close: c, volume: v }
${more}`
const whole = { from: "2020-01-01T00:00:00Z", to: "2020-02-01T00:00:00Z" }
const days = Array.from({ length: 31 }, (_, index) => index + 1)

describe("C26 a vendor over HTTP by configuration", () => {
  it.live("asks for a range as configured, archives the bytes, serves it, and asks once", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((request, response) =>
        response
          .writeHead(200, { "content-type": "application/json" })
          .end(JSON.stringify({ results: between(request.url) }))
      )
      yield* using(vendor(server.url), () =>
        Effect.gen(function* () {
          const first = yield* read(whole)
          assert.deepStrictEqual(first.closes, days)
          assert.deepStrictEqual(first.states, ["2020-01-01 2020-02-01 Covered"])
          assert.deepStrictEqual(server.seen, ["GET /bars/ACME?from=1577836800&to=1580515200&tf=day"])
          const again = yield* read(whole)
          assert.strictEqual(again.requests, 0)
          const [response] = yield* archived()
          assert.deepInclude(response, { status: "ok", text: JSON.stringify({ results: january }) })
          assert.strictEqual(response?.metadata.contentType, "application/json")
          const receipt = yield* (yield* StitchingCache).explain(first.series, stamp("2020-01-03"))
          assert.deepInclude(receipt.excerpt, { pointer: "/results/2", text: JSON.stringify(january[2]) })
        })
      )
    })
  )

  it.live("CSV, NDJSON, arrays of arrays and arrays in columns give the same bars", () =>
    Effect.gen(function* () {
      const rows = january.slice(0, 3)
      const bodies: Record<string, readonly [string, string]> = {
        csv: [["t,o,h,l,c,v", ...rows.map((r) => [r.t, r.o, r.h, r.l, r.c, r.v].join(","))].join("\n"), "format: csv"],
        ndjson: [rows.map((r) => JSON.stringify(r)).join("\n"), "format: ndjson"],
        arrays: [
          JSON.stringify({ data: rows.map((r) => [r.t, r.o, r.h, r.l, r.c, r.v]) }),
          "format: json\n    pointer: /data\n    header: [t, o, h, l, c, v]"
        ],
        columns: [
          JSON.stringify({
            s: "ok",
            q: {
              t: rows.map((r) => r.t),
              p: [{ o: [1, 1, 1], h: rows.map((r) => r.h), l: [1, 1, 1] }],
              c: [1, 2, 3],
              v: [10, 10, null]
            }
          }),
          "format: json\n    shape: columns\n    pointer: /q\n    columns: { ts: t, open: /p/0/o, high: /p/0/h, low: /p/0/l, close: c, volume: v }"
        ]
      }
      for (const [name, [body, format]] of Object.entries(bodies)) {
        const server = yield* LocalServer.http((_, response) => response.end(body))
        const columns =
          name === "columns" ? "" : "    columns: { ts: t, open: o, high: h, low: l, close: c, volume: v }\n"
        const yaml = `
vendors:
  v:
    adapter: http
    url: ${server.url}/{symbol}?a={start}
    timeframes: { 1d: {} }
    timestamp: epoch-seconds
    ${format}
${columns}`
        yield* using(yaml, () =>
          Effect.gen(function* () {
            const { bars, closes } = yield* read({ from: "2020-01-01T00:00:00Z", to: "2020-01-04T00:00:00Z" })
            assert.deepStrictEqual(closes, [1, 2, 3], name)
            assert.deepStrictEqual(
              bars.map((bar) => iso(bar.ts)),
              ["2020-01-01", "2020-01-02", "2020-01-03"],
              name
            )
            assert.strictEqual(bars[2]?.volume, name === "columns" ? null : 10)
          })
        )
      }
    })
  )

  for (const [encoding, pack] of [
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync]
  ] as const) {
    it.live(`a ${encoding} body is archived as it came and read all the same, also by explain`, () =>
      Effect.gen(function* () {
        const packed = pack(Buffer.from(JSON.stringify({ results: january })))
        const server = yield* LocalServer.http((_, response) =>
          response.writeHead(200, { "content-encoding": encoding }).end(packed)
        )
        yield* using(vendor(server.url), () =>
          Effect.gen(function* () {
            const { closes, series } = yield* read(whole)
            assert.deepStrictEqual(closes, days)
            const [response] = yield* archived()
            assert.strictEqual(response?.sizeBytes, packed.length)
            assert.strictEqual(response?.metadata.encoding, encoding)
            const receipt = yield* (yield* StitchingCache).explain(series, stamp("2020-01-03"))
            assert.include(receipt.excerpt.text, '"c":3')
          })
        )
      })
    )
  }

  it.live("POST with a body of templates; numbers where a place is a number", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => response.end(JSON.stringify({ results: january })))
      const yaml = vendor(
        server.url,
        '    method: POST\n    body: { instrument: "{symbol}", window: { from: "{start}", text: "at {start}" }, keep: true }\n'
      )
      yield* using(yaml, () =>
        Effect.gen(function* () {
          yield* read(whole)
          assert.deepStrictEqual(JSON.parse(server.bodies[0] ?? ""), {
            instrument: "ACME",
            window: { from: 1577836800, text: "at 1577836800" },
            keep: true
          })
          assert.strictEqual(server.headers[0]?.["content-type"], "application/json")
        })
      )
    })
  )

  it.live("rows that are skipped are counted, and written down once", () =>
    Effect.gen(function* () {
      const [first, ...others] = january
      const server = yield* LocalServer.http((_, response) =>
        response.end(JSON.stringify({ results: [{ ...first, h: 0 }, ...others] }))
      )
      yield* using(vendor(server.url, "    badRows: skip\n"), (directory) =>
        Effect.gen(function* () {
          for (const policy of ["cacheFirst", "force"] as const) {
            const answer = yield* read({ ...whole, symbol: "A/B", policy })
            assert.deepStrictEqual(answer.closes, days.slice(1))
          }
          const rejects = join(directory, "rejects", "v")
          const [file, ...more] = readdirSync(rejects)
          assert.deepStrictEqual(more, [])
          assert.match(file ?? "", /^A%2FB-1d\.20200101T000000Z-20200201T000000Z\.[0-9a-f]{12}\.ndjson$/)
          const row = JSON.parse(readFileSync(join(rejects, file ?? ""), "utf8"))
          assert.deepInclude(row, { file: "A%2FB-1d", row: 0, text: JSON.stringify({ ...first, h: 0 }) })
        })
      )
    })
  )

  it.live("a symbol cannot leave its place in the address", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => response.end(JSON.stringify({ results: [] })))
      yield* using(vendor(server.url), () =>
        Effect.gen(function* () {
          for (const symbol of [
            "A/../../admin",
            "A?x=1",
            "A#b",
            "A&from=0",
            "a b",
            "ÄÖ",
            "%2e%2e/x",
            "A;b",
            "A\\..\\b"
          ]) {
            yield* read({ ...whole, symbol })
            const last = server.seen.at(-1) ?? ""
            assert.match(last, /^GET \/bars\/[A-Za-z0-9%._~-]+\?from=1577836800&to=1580515200&tf=day$/, symbol)
          }
          for (const symbol of ["..", ".", " ", "a\nb"]) {
            const refused = yield* attempt({ ...whole, symbol })
            assert.property(refused, "failure", symbol)
          }
          assert.strictEqual(server.seen.length, 9)
        })
      )
    })
  )
})

/** What no compression makes small. */
const noise = randomBytes(200_000).toString("base64")

describe("C26 what is no answer is told apart", () => {
  const cases: ReadonlyArray<
    readonly [string, number, string | Uint8Array, Record<string, string>, string, string, string]
  > = [
    ["404", 404, "no", {}, "", "not_found", "NotFound"],
    ["403", 403, "plan", {}, "", "not_entitled", "NotEntitled"],
    ["401", 401, "", {}, "", "not_entitled", "NotEntitled"],
    ["400", 400, "bad from", {}, "", "error", "Missing Rejected"],
    ["429 for long", 429, "slow", { "retry-after": "3600" }, "", "throttled", "Throttled"],
    ["503 that says when", 503, "", { "retry-after": "3600" }, "", "throttled", "Throttled"],
    [
      "200 that says limit in words",
      200,
      '{"Note":"API call frequency"}',
      {},
      "    errors: [{ pointer: /Note, matches: frequency, means: Throttled, retryAfter: 2h }]\n",
      "throttled",
      "Throttled"
    ],
    [
      "200 with an error code",
      200,
      '{"error":{"code":"E_SYM"}}',
      {},
      "    errors: [{ pointer: /error/code, matches: ^E_SYM$, means: NotFound }]\n",
      "not_found",
      "NotFound"
    ],
    [
      "404 that means no data is empty, with evidence",
      404,
      "no data for these dates",
      {},
      "    errors: [{ status: 404, matches: no data, means: Empty }]\n",
      "ok",
      "Empty"
    ],
    [
      "the first rule that holds decides",
      400,
      "subscribe to more",
      {},
      "    errors: [{ status: [500, 400], matches: subscribe, means: NotEntitled }, { status: 400, means: Empty }]\n",
      "not_entitled",
      "NotEntitled"
    ],
    [
      "a long page that begins with what is no answer",
      200,
      `You have exceeded the daily limit.${" ".repeat(200_000)}`,
      {},
      "    errors: [{ matches: ^you have exceeded, means: Throttled, retryAfter: 2h }]\n",
      "throttled",
      "Throttled"
    ],
    [
      "a long compressed page that begins with what is no answer",
      200,
      gzipSync(`You have exceeded the daily limit. ${noise}`),
      { "content-encoding": "gzip" },
      "    errors: [{ matches: ^you have exceeded, means: Throttled, retryAfter: 2h }]\n",
      "throttled",
      "Throttled"
    ],
    ["206: a part", 206, JSON.stringify({ results: january.slice(0, 3) }), {}, "", "error", "Missing Rejected"],
    ["200 without a body, where a document should be", 200, "", {}, "", "ok", "Missing Malformed"],
    ["204", 204, "", {}, "", "ok", "Empty"],
    ["JSON that has no rows where they should be", 200, '{"other":[]}', {}, "", "ok", "Missing Malformed"],
    ["an error page for an answer", 200, "<html>", {}, "", "ok", "Missing Malformed"]
  ]
  for (const [name, status, body, headers, more, archivedAs, state] of cases) {
    it.live(name, () =>
      Effect.gen(function* () {
        const server = yield* LocalServer.http((_, response) => response.writeHead(status, headers).end(body))
        yield* using(vendor(server.url, more), () =>
          Effect.gen(function* () {
            const { states } = yield* Effect.map(attempt(whole), (answer) =>
              "failure" in answer ? { states: [`failed ${answer.failure}`] } : answer
            )
            assert.strictEqual(states.length, 1)
            assert.include(states[0], state)
            const [response] = yield* archived()
            assert.strictEqual(response?.status, archivedAs)
            if (typeof body === "string") assert.strictEqual(response?.text, body)
            assert.strictEqual(response?.sizeBytes, body.length)
            assert.strictEqual(server.seen.length, 1)
          })
        )
      })
    )
  }

  it.live("what may pass is tried again: 500, 408, a body that breaks off, a connection that is cut", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response, count) => {
        if (count === 1) response.writeHead(500).end("oops")
        else if (count === 2)
          response.writeHead(200, { "content-length": "5000" }).write('{"results":[', () => response.destroy())
        else if (count === 3) response.destroy()
        else response.end(JSON.stringify({ results: january }))
      })
      yield* using(vendor(server.url), () =>
        Effect.gen(function* () {
          const { closes } = yield* read(whole)
          assert.deepStrictEqual(closes, days)
          assert.deepStrictEqual(
            (yield* archived()).map(({ attempt, status, text }) => [attempt, status, text.slice(0, 12)]),
            [
              [1, "error", "oops"],
              [2, "partial", '{"results":['],
              [3, "error", ""],
              [4, "ok", '{"results":[']
            ]
          )
        })
      )
    })
  )
})

it.live("C26 an answer that is only accepted (202) is asked for again, and never taken for an empty one", () =>
  Effect.gen(function* () {
    const server = yield* LocalServer.http((_, response, count) =>
      count === 1 ? response.writeHead(202).end() : response.end(JSON.stringify({ results: january }))
    )
    yield* using(vendor(server.url), () =>
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* read(whole)).closes, days)
        assert.deepStrictEqual(
          (yield* archived()).map(({ status }) => status),
          ["error", "ok"]
        )
      })
    )
  })
)

describe("C26 credentials", () => {
  const secret = "s3cr3t/with+signs=and%more"
  const kinds: ReadonlyArray<
    readonly [string, (seen: { url: string; headers: Record<string, unknown> }) => unknown, unknown]
  > = [
    ["kind: bearer", ({ headers }) => headers.authorization, `Bearer ${secret}`],
    [
      "kind: basic, user: me",
      ({ headers }) => headers.authorization,
      `Basic ${Buffer.from(`me:${secret}`).toString("base64")}`
    ],
    ["kind: header, name: X-Vendor-Pass", ({ headers }) => headers["x-vendor-pass"], secret],
    ["kind: query, name: pass", ({ url }) => paramsOf(url).get("pass"), secret]
  ]
  for (const [auth, of, expected] of kinds) {
    it.live(`${auth}: sent, and nowhere else`, () =>
      Effect.gen(function* () {
        const server = yield* LocalServer.http((request, response, count) => {
          // Servers repeat what they were told, in headers and in a redirect.
          if (count === 1)
            response
              .writeHead(302, { location: `${request.url}&moved=1`, "x-you-sent": request.headers.authorization ?? "" })
              .end()
          else if (count === 2) response.writeHead(500, { "x-path": request.url ?? "" }).end("no")
          else response.writeHead(200, { "x-path": request.url ?? "" }).end(JSON.stringify({ results: january }))
        })
        yield* using(
          vendor(server.url, `    auth: { ${auth}, secret: V_SECRET }\n`),
          (directory) =>
            Effect.gen(function* () {
              assert.deepStrictEqual((yield* read(whole)).closes, days)
              const forms = [secret, encodeURIComponent(secret), Buffer.from(`me:${secret}`).toString("base64")]
              for (const form of forms) {
                const found = execFileSync("sh", ["-c", `grep -raF -- "$1" "$2" | wc -c`, "sh", form, directory])
                assert.strictEqual(found.toString().trim(), "0", form)
              }
            }),
          { V_SECRET: secret }
        )
        assert.strictEqual(server.seen.length, 3)
        assert.strictEqual(of({ url: server.seen[2]?.slice(4) ?? "", headers: server.headers[2] ?? {} }), expected)
      })
    )
  }

  const pass = "s3cr3t-pass-phrase"
  const holds = (directory: string, text: string) =>
    execFileSync("sh", ["-c", 'grep -raF -- "$1" "$2" | wc -c', "sh", text, directory]).toString().trim() !== "0"

  it.live("an address of the next page that repeats the credential is asked for, and known, without it", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((request, response, count) => {
        const next = count === 1 ? `</bars/ACME?after=2&k=${paramsOf(request.url).get("k")}>; rel="next"` : ""
        response.writeHead(200, next === "" ? {} : { link: next })
        response.end(JSON.stringify({ results: count === 1 ? january.slice(0, 9) : january.slice(9) }))
      })
      const more =
        "    auth: { kind: query, name: k, secret: V_SECRET }\n    pagination: { kind: cursor, pointer: /next }\n"
      const inBody = yield* LocalServer.http((request, response, count) => {
        const next = count === 1 ? `/bars/ACME?after=2&k=${paramsOf(request.url).get("k")}` : null
        response.end(JSON.stringify({ results: count === 1 ? january.slice(0, 9) : january.slice(9), next }))
      })
      for (const [one, paging] of [
        [server, more.replace("pointer: /next", "link: true")],
        [inBody, more]
      ] as const) {
        yield* using(
          vendor(one.url, paging),
          (directory) =>
            Effect.gen(function* () {
              assert.deepStrictEqual((yield* read(whole)).closes, days)
              assert.strictEqual(one.seen[1], `GET /bars/ACME?after=2&k=${pass}`)
              const requests = yield* (yield* ProvenanceStore).requests({ limit: 10 })
              assert.notInclude(JSON.stringify(requests), pass)
              // A body is kept byte for byte, whatever the vendor writes into it.
              if (one === server) assert.isFalse(holds(directory, pass))
            }),
          { V_SECRET: pass }
        )
      }
    })
  )

  it.live("a secret of a file keeps its line end to itself; one that no header can hold is told, not sent", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => response.end(JSON.stringify({ results: january })))
      const yaml = vendor(server.url, "    auth: { kind: bearer, secret: V_SECRET }\n")
      yield* using(yaml, () => read(whole), { V_SECRET: `${pass}\r\n` })
      assert.strictEqual(server.headers[0]?.authorization, `Bearer ${pass}`)
      yield* using(
        yaml,
        () =>
          Effect.gen(function* () {
            const refused = JSON.stringify(yield* attempt(whole))
            assert.include(refused, "V_SECRET holds characters that no header can have")
            assert.notInclude(refused, "pass-phrase")
          }),
        { V_SECRET: `${pass}\nsecond` }
      )
      assert.strictEqual(server.seen.length, 1)
    })
  )

  it.live("a symbol that a header cannot hold is no symbol of such a vendor", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => response.end(JSON.stringify({ results: january })))
      yield* using(vendor(server.url, '    headers: { X-Symbol: "{symbol}" }\n'), () =>
        Effect.gen(function* () {
          assert.include(
            JSON.stringify(yield* attempt({ ...whole, symbol: "日本" })),
            "the header X-Symbol cannot hold"
          )
          assert.strictEqual(server.seen.length, 0)
        })
      )
    })
  )

  it.live("no line of the log holds a credential, at any level and whatever the vendor does with it", () =>
    Effect.gen(function* () {
      const spellings = [secret, encodeURIComponent(secret), encodeURIComponent(secret).toLowerCase()]
      const server = yield* LocalServer.http((request, response, count) => {
        const said = `${request.headers.authorization} ${paramsOf(request.url).get("pass")} ${spellings.join(" ")}`
        if (count === 1) response.writeHead(302, { location: `${request.url?.toLowerCase()}&moved=1` }).end()
        else if (count === 2) response.writeHead(500, { "x-said": said }).end(said)
        else if (count === 3) response.writeHead(429, { "x-said": said, "retry-after": "0" }).end(said)
        else if (count === 4) response.writeHead(200, { "x-said": said, "content-length": "999" }).write(said)
        else response.writeHead(400, said).end(said)
        if (count === 4) setTimeout(() => response.destroy(), 20)
      })
      const lines: Array<string> = []
      const log = Logger.make(({ cause, fiber, logLevel, message }) => {
        const about = JSON.stringify(fiber.getRef(References.CurrentLogAnnotations))
        lines.push(`${logLevel} ${inspect(message, { depth: 9 })} ${about} ${Cause.pretty(cause)}`)
      })
      for (const auth of ["kind: bearer", "kind: query, name: pass"]) {
        const refused = yield* using(
          vendor(server.url, `    auth: { ${auth}, secret: V_SECRET }\n`),
          (directory) =>
            Effect.gen(function* () {
              const answer = yield* attempt(whole)
              for (const { cause, metadata } of yield* archived()) {
                const text = `${cause} ${JSON.stringify(metadata)}`
                for (const spelling of spellings) assert.notInclude(text, spelling, directory)
              }
              return answer
            }),
          { V_SECRET: secret }
        ).pipe(Effect.provide(Logger.layer([log])), Effect.provideService(References.MinimumLogLevel, "All"))
        lines.push(JSON.stringify(refused))
      }
      assert.include(lines.join("\n"), "tapestry.fetch")
      for (const spelling of spellings) assert.notInclude(lines.join("\n"), spelling)
    })
  )

  it.live("a variable that is not set is named, nothing is sent, and what is stored is read without it", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => response.end(JSON.stringify({ results: january })))
      yield* using(vendor(server.url, "    auth: { kind: bearer, secret: V_SECRET }\n"), () =>
        Effect.gen(function* () {
          const refused = yield* attempt(whole)
          assert.include(JSON.stringify(refused), "V_SECRET is not set")
          assert.strictEqual(server.seen.length, 0)
        })
      )
    })
  )

  it.live("ping asks really: ok, refused, not there", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((request, response) =>
        response.writeHead(request.url === "/status" ? 200 : 404).end()
      )
      const ok = yield* Effect.scoped(
        Effect.flatMap(adapterOf(vendor(server.url, `    ping: { url: "${server.url}/status" }\n`)), ({ ping }) => ping)
      )
      assert.isTrue(ok.ok)
      assert.include(ok.detail, "/status: HTTP 200")
      const bad = yield* Effect.scoped(
        Effect.flatMap(adapterOf(vendor(server.url, `    ping: { url: "${server.url}/gone" }\n`)), ({ ping }) => ping)
      )
      assert.isFalse(bad.ok)
      const away = yield* Effect.flip(
        Effect.scoped(Effect.flatMap(adapterOf(vendor("http://127.0.0.1:1")), ({ ping }) => ping))
      )
      assert.include(String(away), "ECONNREFUSED")
    })
  )

  it.live("symbols from an endpoint that lists very many: all of them", () =>
    Effect.gen(function* () {
      const all = Array.from({ length: 150_000 }, (_, index) => `S${String(index).padStart(6, "0")}`)
      const server = yield* LocalServer.http((_, response) => response.end(JSON.stringify(all)))
      const listed = yield* Effect.scoped(
        Effect.flatMap(
          adapterOf(vendor(server.url, `    symbols: { url: "${server.url}/symbols" }\n`)),
          ({ symbols }) => symbols
        )
      )
      assert.deepStrictEqual(listed, all)
    })
  )

  it.live("symbols from a list and from an endpoint", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) =>
        response.end(JSON.stringify({ data: [{ id: "msft" }, { id: "aapl" }, { id: 7 }] }))
      )
      const more = `    symbols: { url: "${server.url}/symbols", pointer: /data, key: id }\n`
      assert.deepStrictEqual(
        yield* Effect.scoped(Effect.flatMap(adapterOf(vendor(server.url, more)), ({ symbols }) => symbols)),
        ["AAPL", "MSFT"]
      )
      yield* using(vendor(server.url, "    symbols: [acme, Zeta]\n"), () =>
        Effect.gen(function* () {
          assert.include(
            JSON.stringify(yield* attempt({ ...whole, symbol: "other" })),
            "has no OTHER; it has acme, Zeta"
          )
        })
      )
    })
  )
})
