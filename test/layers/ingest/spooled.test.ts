import { createHash } from "node:crypto"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { exchange } from "../../../src/layers/http/exchange.ts"
import * as HttpPool from "../../../src/layers/http/HttpPool.ts"
import { defaultPolicy, noCredentials } from "../../../src/layers/http/HttpRequest.ts"
import { vendorAnswer } from "../../../src/layers/http/vendorAnswer.ts"
import { IngestSession } from "../../../src/services/IngestSession.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import * as LocalServer from "../http/localServer.ts"
import { temporaryDirectory } from "../provenance/temporary.ts"
import { ingestOver } from "./archiveWith.ts"
import * as Vendor from "./ScriptedVendor.ts"

const mode = { cacheMode: { _tag: "default", ttl: null } } as const
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const drafts = (directory: string) => readdirSync(join(directory, "responses", "drafts"))
const random = (size: number) => {
  const bytes = Buffer.alloc(size)
  let state = 7
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

/** Sessions whose vendor is a real server that answers with `body`, in a directory whose payloads may have 1 MB in memory. */
const over = <A, E>(
  answer: Parameters<typeof LocalServer.http>[0],
  use: (directory: string) => Effect.Effect<A, E, IngestSession | ProvenanceStore>
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const server = yield* LocalServer.http(answer)
      const pool = yield* HttpPool.make
      const directory = yield* temporaryDirectory
      const vendor = Vendor.make("vendor", () =>
        exchange(
          pool,
          { method: "GET", url: new URL(server.url), headers: {}, body: null, credentials: noCredentials },
          defaultPolicy
        ).pipe(
          Effect.map((answered) => vendorAnswer(answered, null)),
          Effect.orDie
        )
      )
      return yield* Effect.provide(use(directory), ingestOver({ directory, payloadLimit: 1_000_000 }, [vendor.adapter]))
    })
  )

const opened = Effect.flatMap(IngestSession, (ingest) => ingest.open({ source: "vendor", mode: "sync" }))

describe("C16 a body is archived while it comes", () => {
  for (const size of [65_536, 65_537, 999_999]) {
    it.live(`${size} bytes are one payload, readable at once and from the archive`, () => {
      const body = random(size)
      return over(
        (_, response) => response.end(body),
        (directory) =>
          Effect.scoped(
            Effect.gen(function* () {
              const session = yield* opened
              const fetched = yield* session.fetch(Vendor.request(1), mode)
              assert.strictEqual(Buffer.compare(fetched.payload, body), 0)
              assert.strictEqual(fetched.response.sha256, sha256(body))
              assert.strictEqual(fetched.response.sizeBytes, size)
              const again = yield* session.fetch(Vendor.request(1), mode)
              assert.strictEqual(again.served, "archive")
              assert.strictEqual(Buffer.compare(again.payload, body), 0)
              if (size > 65_536) assert.deepStrictEqual(drafts(directory), [])
            })
          )
      )
    })
  }

  it.live(
    "larger than may be held: archived whole, a stream for who can take one, PayloadTooLarge for who cannot",
    () => {
      const body = random(5_000_000)
      return over(
        (_, response) => response.end(body),
        (directory) =>
          Effect.scoped(
            Effect.gen(function* () {
              const session = yield* opened
              for (const served of ["vendor", "archive"]) {
                const asked = yield* session.ask(Vendor.request(1), mode)
                assert.strictEqual(asked.served, served)
                assert.isFalse(asked.payload instanceof Uint8Array)
                if (asked.payload instanceof Uint8Array) return
                const chunks = yield* Stream.runCollect(asked.payload.stream)
                assert.strictEqual(sha256(Buffer.concat(chunks)), sha256(body))
              }
              const refused = yield* Effect.flip(session.fetch(Vendor.request(2), mode))
              assert.deepInclude(refused.reason, { _tag: "ProvenanceStoreError" })
              assert.include(refused.message, "5000000 bytes is over the limit of 1000000")
              const [newest] = yield* (yield* ProvenanceStore).responses({ limit: 1 })
              assert.deepInclude(newest, { status: "ok", sha256: sha256(body), sizeBytes: 5_000_000 })
              assert.deepStrictEqual(drafts(directory), [])
              assert.deepStrictEqual(yield* Stream.runCollect((yield* ProvenanceStore).verify(() => Effect.void)), [])
            })
          )
      )
    }
  )

  it.live("broken off behind 64 KiB: what came is kept as partial, in a file of its own", () => {
    const body = random(200_000)
    let count = 0
    return over(
      (_, response) => {
        count += 1
        if (count > 1) return response.end(body)
        response.writeHead(200, { "content-length": "200000" })
        response.write(body.subarray(0, 150_000), () => setTimeout(() => response.destroy(), 30))
      },
      (directory) =>
        Effect.scoped(
          Effect.gen(function* () {
            const session = yield* opened
            const fetched = yield* session.fetch(Vendor.request(1), mode)
            assert.strictEqual(fetched.response.sha256, sha256(body))
            const store = yield* ProvenanceStore
            const [, broken] = yield* store.responses({ limit: 2 })
            assert.deepInclude(broken, {
              status: "partial",
              sizeBytes: 150_000,
              sha256: sha256(body.subarray(0, 150_000))
            })
            assert.deepStrictEqual(drafts(directory), [])
          })
        )
    )
  })
})
