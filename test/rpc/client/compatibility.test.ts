/** The rule of compatibility in docs/protocol.md rests on this: what a newer peer adds, an older one does not mind. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { RpcSerialization } from "effect/rpc"
import { Bar } from "../../../src/domain/Bar.ts"
import { CoverageState } from "../../../src/domain/Coverage.ts"
import { Hello } from "../../../src/rpc/contract/SystemRpcs.ts"
import { TapestryRpcs } from "../../../src/rpc/contract/TapestryRpcs.ts"

const formats = {
  "JSON lines": RpcSerialization.layerNdjson,
  binary: RpcSerialization.layerSchemaBinary()
}

const hello = { protocol: 1, product: "x", capabilities: [], procedures: ["System.hello"], startedAt: 1, now: 2 }
const bar = { ts: 60_000, open: 1, high: 2, low: 0.5, close: 1.5, volume: null, vwap: null, count: 3 }

for (const [name, format] of Object.entries(formats)) {
  const through = <A extends Schema.Top, B extends Schema.Top>(sender: A, receiver: B, value: A["Type"]) =>
    Effect.gen(function* () {
      const { codecFor } = yield* RpcSerialization.RpcSerialization
      const sent = yield* Schema.encodeEffect(codecFor(sender))(value)
      return yield* Schema.decodeUnknownEffect(codecFor(receiver))(sent)
    }).pipe(Effect.provide(format))

  describe(`between releases, in ${name}`, () => {
    it.effect("a client ignores the fields that a newer server adds to an answer", () =>
      Effect.gen(function* () {
        const Newer = Schema.Struct({ first: Schema.String, ...Hello.fields, region: Schema.NullOr(Schema.Finite) })
        assert.deepStrictEqual(yield* through(Newer, Hello, { ...hello, first: "x", region: 7 }), hello)
      })
    )

    it.effect("also in the rows of a stream", () =>
      Effect.gen(function* () {
        const Newer = Schema.Struct({
          ...Bar.fields,
          openInterest: Schema.Finite,
          venue: Schema.optionalKey(Schema.String)
        })
        const rows = [
          { ...bar, openInterest: 5 },
          { ...bar, ts: 120_000, openInterest: 6, venue: "X" }
        ] as const
        const had = yield* through(Schema.NonEmptyArray(Newer), Schema.NonEmptyArray(Bar), [...rows])
        assert.deepStrictEqual(had, [bar, { ...bar, ts: 120_000 }])
      })
    )

    it.effect("a server takes the payload of an older client, and ignores what a newer one adds", () =>
      Effect.gen(function* () {
        const rpc = TapestryRpcs.requests.get("Archive.sessions")
        assert.isDefined(rpc)
        const Page = Schema.Struct({ before: Schema.optionalKey(Schema.Int), limit: Schema.optionalKey(Schema.Int) })
        const Newer = Schema.Struct({ ...Page.fields, state: Schema.optionalKey(Schema.String) })
        assert.deepStrictEqual(yield* through(Page, Newer, { limit: 5 }), { limit: 5 })
        assert.deepStrictEqual(yield* through(Newer, Page, { limit: 5, state: "open" }), { limit: 5 })
      })
    )

    it.effect("a member that a newer server adds to a union cannot be read: it takes a new protocol version", () =>
      Effect.gen(function* () {
        const Newer = Schema.Union([CoverageState, Schema.TaggedStruct("Embargoed", { until: Schema.Int })])
        const known = { _tag: "Throttled" as const, retryAfter: 5 }
        assert.deepStrictEqual(yield* through(Newer, CoverageState, known), known)
        const exit = yield* Effect.exit(through(Newer, CoverageState, { _tag: "Embargoed", until: 7 }))
        assert.isTrue(Exit.isFailure(exit))
      })
    )
  })
}
