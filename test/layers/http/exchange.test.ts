import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { decodeContent } from "../../../src/layers/http/decodeContent.ts"
import { exchange } from "../../../src/layers/http/exchange.ts"
import * as HttpPool from "../../../src/layers/http/HttpPool.ts"
import {
  defaultPolicy,
  type HttpPolicy,
  type HttpRequest,
  noCredentials
} from "../../../src/layers/http/HttpRequest.ts"
import { FirstByte } from "../../../src/services/Adapter.ts"
import { beginningOf } from "../../../src/services/PayloadDraft.ts"
import * as LocalServer from "./localServer.ts"

const get = (url: string, over: Partial<HttpRequest> = {}): HttpRequest => ({
  method: "GET",
  url: new URL(url),
  headers: {},
  body: null,
  credentials: noCredentials,
  ...over
})

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

const ask = Effect.fnUntraced(function* (request: HttpRequest, policy: Partial<HttpPolicy> = {}) {
  return yield* exchange(yield* HttpPool.make, request, { ...defaultPolicy, ...policy })
})

describe("one exchange", () => {
  it.live("a status, headers, bytes and where they came from", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => {
        response.writeHead(200, { "Content-Type": "text/csv", ETag: '"a"' }).end("a,b\n1,2\n")
      })
      let begun = 0
      const answer = yield* Effect.provideService(
        ask(get(`${server.url}/x?y=1`, { headers: { accept: "*/*" } })),
        FirstByte,
        () => {
          begun += 1
        }
      )
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(text(beginningOf(answer.body)), "a,b\n1,2\n")
      assert.strictEqual(answer.headers.etag, '"a"')
      assert.strictEqual(answer.headers["content-type"], "text/csv")
      assert.strictEqual(answer.url, `${server.url}/x?y=1`)
      assert.isNull(answer.fault)
      assert.isAbove(answer.elapsedMillis, 0)
      assert.deepStrictEqual(server.seen, ["GET /x?y=1"])
      assert.strictEqual(begun, 1)
    })
  )

  it.live("a body goes out whole, also one of several bytes a character", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => response.end())
      const body = new TextEncoder().encode('{"symbol":"Zürich €"}')
      const answer = yield* ask(
        get(server.url, { method: "POST", body, headers: { "content-type": "application/json" } })
      )
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(beginningOf(answer.body).byteLength, 0)
      assert.deepStrictEqual(server.bodies, ['{"symbol":"Zürich €"}'])
      assert.strictEqual(server.headers[0]?.["content-length"], String(body.byteLength))
    })
  )

  for (const [encoding, pack] of [
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync]
  ] as const) {
    it.live(`a ${encoding} body stays as it came, and can be decoded later`, () =>
      Effect.gen(function* () {
        const plain = "ts,close\n".repeat(1000)
        const packed = pack(Buffer.from(plain))
        const server = yield* LocalServer.http((_, response) =>
          response.writeHead(200, { "content-encoding": encoding }).end(packed)
        )
        const answer = yield* ask(get(server.url))
        assert.deepStrictEqual(Buffer.from(beginningOf(answer.body)), Buffer.from(packed))
        assert.strictEqual(text(yield* decodeContent(beginningOf(answer.body), encoding, 100_000)), plain)
        const small = yield* Effect.flip(decodeContent(beginningOf(answer.body), encoding, 100))
        assert.include(small.message, "unpacks to more than 100 bytes")
        const garbled = yield* Effect.flip(decodeContent(Buffer.from("no"), encoding, 100))
        assert.include(garbled.message, `not what its content encoding ${encoding} says`)
      })
    )
  }

  it.live("connections are kept, and closed with the adapter", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => response.end("x"))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const pool = yield* HttpPool.make
          for (let i = 0; i < 5; i++) yield* exchange(pool, get(server.url), defaultPolicy)
        })
      )
      assert.strictEqual(server.connections(), 1)
      assert.strictEqual(server.seen.length, 5)
    })
  )

  it.live(
    "a kept connection that the server has closed is not the vendor's answer: it is asked again on a new one",
    () =>
      Effect.gen(function* () {
        // The second request of a connection is met with a reset, as when an idle timeout and a request cross.
        const perSocket = new WeakMap<object, number>()
        const server = yield* LocalServer.raw((socket) => {
          const nth = (perSocket.get(socket) ?? 0) + 1
          perSocket.set(socket, nth)
          if (nth === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
          else socket.resetAndDestroy()
        })
        const pool = yield* HttpPool.make
        for (let i = 0; i < 6; i++) {
          const answer = yield* exchange(pool, get(server.url), defaultPolicy)
          assert.strictEqual(text(beginningOf(answer.body)), "ok")
        }
        // What has a body may have been acted upon: it is not sent twice.
        yield* exchange(pool, get(server.url), defaultPolicy)
        const lost = yield* Effect.flip(
          exchange(pool, get(server.url, { method: "POST", body: new Uint8Array([1]) }), defaultPolicy)
        )
        assert.strictEqual(lost.reason._tag, "Dropped")
      })
  )
})

describe("a body that breaks off is kept and said", () => {
  const cases: ReadonlyArray<readonly [string, string, string]> = [
    ["shorter than its length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst half", "first half"],
    [
      "a chunk unfinished",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n64\r\nhalf",
      "firsthalf"
    ],
    ["no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n", "first"],
    ["a chunk size that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\nxyz\r\n", "first"]
  ]
  for (const [name, wire, kept] of cases) {
    it.live(name, () =>
      Effect.gen(function* () {
        const server = yield* LocalServer.raw((socket) => socket.end(wire))
        const answer = yield* ask(get(server.url))
        assert.strictEqual(answer.fault?._tag, "BrokenOff")
        assert.strictEqual(text(beginningOf(answer.body)), kept)
        assert.strictEqual(answer.status, 200)
      })
    )
  }

  it.live("a reset in the middle of a large body keeps what came before", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.raw((socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
        socket.write(Buffer.alloc(300_000, 97), () => setTimeout(() => socket.resetAndDestroy(), 50))
      })
      const answer = yield* ask(get(server.url))
      assert.strictEqual(answer.fault?._tag, "BrokenOff")
      assert.strictEqual(beginningOf(answer.body).byteLength, 300_000)
      assert.isTrue(beginningOf(answer.body).every((byte) => byte === 97))
    })
  )

  it.live("a slow drip ends at the total deadline, and what had dripped is kept", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => {
        response.write("drop")
        const drip = setInterval(() => response.write("drop"), 20)
        response.on("close", () => clearInterval(drip))
      })
      const answer = yield* ask(get(server.url), { total: 150 })
      assert.strictEqual(answer.fault?._tag, "BrokenOff")
      assert.include(answer.fault?.message, "within 0.15 s")
      assert.match(text(beginningOf(answer.body)), /^(drop){2,}$/)
      assert.isBelow(answer.elapsedMillis, 1000)
    })
  )

  it.live("longer than allowed: the beginning is kept, to the byte", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((_, response) => response.end(Buffer.alloc(200_000, 98)))
      const answer = yield* ask(get(server.url), { maxBytes: 100_001 })
      assert.strictEqual(answer.fault?._tag, "TooLarge")
      assert.strictEqual(beginningOf(answer.body).byteLength, 100_001)
      const exact = yield* ask(get(server.url), { maxBytes: 200_000 })
      assert.isNull(exact.fault)
    })
  )
})

describe("no answer at all", () => {
  it.live("refused, not HTTP, closed at once, too slow to begin, too slow to connect", () =>
    Effect.gen(function* () {
      const gone = yield* Effect.scoped(
        Effect.map(
          LocalServer.raw(() => {}),
          ({ url }) => url
        )
      )
      const refused = yield* Effect.flip(ask(get(gone)))
      assert.strictEqual(refused.reason._tag, "Unreachable")
      assert.include(refused.message, "ECONNREFUSED")

      const garbled = yield* LocalServer.raw((socket) => socket.end("SSH-2.0-OpenSSH\r\n\r\n"))
      assert.strictEqual((yield* Effect.flip(ask(get(garbled.url)))).reason._tag, "NotHttp")

      const closed = yield* LocalServer.raw((socket) => socket.end())
      assert.strictEqual((yield* Effect.flip(ask(get(closed.url)))).reason._tag, "Dropped")
      assert.strictEqual(closed.requests(), 1)

      const silent = yield* LocalServer.raw(() => {})
      const late = yield* Effect.flip(ask(get(silent.url), { firstByte: 80 }))
      assert.strictEqual(late.message, `${new URL(silent.url).host} did not begin to answer within 0.08 s`)
      // TLS to a server that never shakes hands: the connection does not stand.
      const noHandshake = yield* Effect.flip(ask(get(silent.url.replace("http:", "https:")), { connect: 80 }))
      assert.include(noHandshake.message, "no connection to")
    })
  )

  it.live("interrupted, the socket is closed", () =>
    Effect.gen(function* () {
      let closed = false
      const server = yield* LocalServer.http((_, response) => {
        response.write("begun")
        response.on("close", () => {
          closed = true
        })
      })
      const fiber = yield* Effect.forkChild(ask(get(server.url)), { startImmediately: true })
      while (server.seen.length === 0) yield* Effect.sleep(5)
      yield* Effect.sleep(20)
      yield* Fiber.interrupt(fiber)
      for (let i = 0; i < 100 && !closed; i++) yield* Effect.sleep(5)
      assert.isTrue(closed)
    })
  )
})

describe("redirects", () => {
  const credentials = {
    headers: { authorization: Redacted.make("Bearer s3cr3t-token") },
    query: { apikey: Redacted.make("k3y+with/signs") }
  }

  it.live("credentials are sent, are in no URL or header that is kept, and follow within an origin only", () =>
    Effect.gen(function* () {
      const other = yield* LocalServer.http((_, response) => response.end("elsewhere"))
      const server = yield* LocalServer.http((request, response) => {
        if (request.url?.startsWith("/in") === true) {
          // Servers like to repeat the query in a Location.
          response.writeHead(302, { location: "/end?apikey=k3y%2Bwith%2Fsigns" }).end()
        } else if (request.url?.startsWith("/out") === true) {
          response.writeHead(307, { location: `${other.url}/end` }).end()
        } else if (request.url?.startsWith("/leak") === true) {
          response.writeHead(302, { location: `${other.url}/?t=s3cr3t-token` }).end()
        } else response.writeHead(200, { "x-echo": request.headers.authorization }).end("here")
      })
      const inside = yield* ask(get(`${server.url}/in`, { credentials }))
      assert.strictEqual(text(beginningOf(inside.body)), "here")
      assert.strictEqual(inside.url, `${server.url}/end?apikey=[redacted]`)
      assert.strictEqual(inside.headers["x-echo"], "[redacted]")
      assert.strictEqual(server.headers[1]?.authorization, "Bearer s3cr3t-token")
      assert.strictEqual(server.seen[1], "GET /end?apikey=k3y%2Bwith%2Fsigns")

      const refused = yield* ask(get(`${server.url}/out`, { credentials }))
      assert.strictEqual(refused.fault?._tag, "RedirectRefused")
      assert.strictEqual(refused.status, 307)

      const followed = yield* ask(get(`${server.url}/out`, { credentials, headers: { cookie: "a=b", accept: "x" } }), {
        redirects: "follow"
      })
      assert.strictEqual(text(beginningOf(followed.body)), "elsewhere")
      assert.isUndefined(other.headers[0]?.authorization)
      assert.isUndefined(other.headers[0]?.cookie)
      assert.strictEqual(other.headers[0]?.accept, "x")
      assert.deepStrictEqual(other.seen, ["GET /end"])

      const leak = yield* ask(get(`${server.url}/leak`, { credentials }), { redirects: "follow" })
      assert.strictEqual(leak.fault?._tag, "RedirectRefused")
      assert.notInclude(JSON.stringify([leak.headers, leak.fault, leak.url]), "s3cr3t")
      assert.strictEqual(other.seen.length, 1)
    })
  )

  it.live("a circle, a redirect to nowhere, none allowed; POST becomes GET unless 307", () =>
    Effect.gen(function* () {
      const server = yield* LocalServer.http((request, response) => {
        if (request.url === "/circle") response.writeHead(302, { location: "/circle" }).end("round")
        else if (request.url === "/nowhere") response.writeHead(302).end()
        else if (request.url === "/file") response.writeHead(302, { location: "file:///etc/passwd" }).end()
        else if (request.url === "/303") response.writeHead(303, { location: "/end" }).end()
        else if (request.url === "/307") response.writeHead(307, { location: "/end" }).end()
        else response.end()
      })
      const circle = yield* ask(get(`${server.url}/circle`), { maxRedirects: 3 })
      assert.strictEqual(circle.fault?._tag, "RedirectRefused")
      assert.strictEqual(text(beginningOf(circle.body)), "round")
      assert.strictEqual(server.seen.length, 4)
      for (const path of ["/nowhere", "/file"]) {
        assert.strictEqual((yield* ask(get(server.url + path), { redirects: "follow" })).fault?._tag, "RedirectRefused")
      }
      assert.strictEqual((yield* ask(get(`${server.url}/303`), { redirects: "none" })).fault?._tag, "RedirectRefused")
      const post = {
        method: "POST",
        body: new TextEncoder().encode("q"),
        headers: { "content-type": "text/plain" }
      } as const
      yield* ask(get(`${server.url}/303`, post))
      assert.strictEqual(server.seen.at(-1), "GET /end")
      assert.isUndefined(server.headers.at(-1)?.["content-type"])
      yield* ask(get(`${server.url}/307`, post))
      assert.strictEqual(server.seen.at(-1), "POST /end")
      assert.strictEqual(server.bodies.at(-1), "q")
    })
  )
})
