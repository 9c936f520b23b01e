/** Messages that the library passes over (its code 505): who may have lost something is told, and nobody else; many of them are no storm. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { TestClock } from "effect/testing"
import type { StreamQuery } from "../../../../src/domain/streams/StreamKey.ts"
import * as IbkrAdapter from "../../../../src/layers/adapters/ibkr/IbkrAdapter.ts"
import { resolveVendor } from "../../../../src/layers/adapters/ibkr/IbkrVendor.ts"
import { record, tags } from "../../streams/support.ts"
import { rigged } from "./rigged.ts"
import { answerTime, scripted, type Talk } from "./scriptedGateway.ts"
import { eventually } from "./session.ts"

const second = 1_000
const idField: Readonly<Record<string, number>> = { "1": 2, "10": 2, "97": 1 }

/** A gateway that tells of each request what a test says, and two streams of it. */
const begin = Effect.fnUntraced(function* (tell: (kind: string, id: number, talk: Talk, request: number) => void) {
  let requests = 0
  const gateway = yield* scripted({
    onMessage: (fields, talk) => {
      answerTime(fields, talk)
      const [kind = ""] = fields
      const at = idField[kind]
      if (at !== undefined) tell(kind, Number(fields[at]), talk, ++requests)
    }
  })
  const vendor = Result.getOrThrow(resolveVendor("ibkr", { port: gateway.port }, 1 << 26))
  const { stream } = yield* IbkrAdapter.make(vendor)
  if (stream === undefined) throw new Error("the adapter cannot stream")
  const follow = Effect.fnUntraced(function* (query: StreamQuery) {
    const said: Array<string> = []
    const why: Array<string> = []
    yield* stream.open(yield* stream.key(query), {
      row: () => said.push("row"),
      rows: (rows) => said.push(...rows.map(() => "row")),
      event: (event) => {
        said.push(event._tag)
        if (event._tag === "Gap") why.push(event.reason)
      }
    })
    return { said, why }
  })
  const quotes = yield* follow({ symbol: "SPY", kind: "quotes" })
  const trades = yield* follow({ symbol: "SPY", kind: "trades" })
  const asked = (kind: string) => gateway.messages.filter((fields) => fields[0] === kind).length
  return { quotes, trades, asked }
})

const clockRuns = Effect.forkScoped(
  Effect.forever(Effect.andThen(TestClock.withLive(Effect.sleep("2 millis")), TestClock.adjust("50 millis")))
)

const price = (id: number, bid: number) => [1, 6, id, 1, bid, 100, 0] as const
const trade = (id: number) => [99, id, 2, 1_775_829_600, 500, 10, 0, "NYSE", ""] as const

describe("messages that cannot be read", () => {
  it.effect("the stream that one names has a gap and is asked for again; others go on", () =>
    Effect.gen(function* () {
      yield* clockRuns
      const { asked, quotes, trades } = yield* begin((kind, id, talk, request) => {
        if (kind === "1") talk.send(...price(id, 500))
        else {
          talk.send(...trade(id))
          if (request === 2) talk.send(99, id, 2, 1_775_829_600)
        }
      })
      yield* eventually("asked for again", () => asked("97") === 2 && trades.said.includes("Resumed"))
      assert.deepStrictEqual(trades.said.filter((word, index) => word !== trades.said[index - 1]).slice(0, 4), [
        "Started",
        "row",
        "Gap",
        "Resumed"
      ])
      assert.include(trades.why, "a message about it could not be read")
      assert.strictEqual(asked("1"), 1)
      assert.notInclude(quotes.said, "Gap")
    })
  )

  it.effect(
    "one that names nobody may have been anybody's; one that has more in it than is known was nobody's loss",
    () =>
      Effect.gen(function* () {
        yield* clockRuns
        const { asked, quotes, trades } = yield* begin((kind, id, talk, request) => {
          if (kind === "1") talk.send(...price(id, 500 + request), "and", "more")
          else if (request === 2) setTimeout(() => talk.send(1, 6), 50)
        })
        yield* eventually("all are asked for again", () => asked("1") === 2 && asked("97") === 2)
        assert.deepStrictEqual(
          [quotes, trades].map(({ said }) => said.filter((word) => word === "Gap").length > 0),
          [true, true]
        )
        // Each quote had more in it than is known, and came.
        yield* eventually("the second quote", () => quotes.said.filter((word) => word === "row").length === 2)
        assert.strictEqual(asked("1"), 2)
      })
  )

  it.effect("a thousand of them: asked for more and more slowly", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const seen = yield* record([{ symbol: "SPY", kind: "quotes" }], undefined, "ibkr")
        yield* pass(30 * second)
        const before = gateway.clients()[0]?.requests ?? 0
        for (let turn = 0; turn < 100; turn++) {
          for (let each = 0; each < 10; each++) yield* gateway.inject({ _tag: "Malformed", what: "missingField" })
          yield* pass(second)
        }
        // Two messages each time, and now and then the time of the gateway.
        const sent = (gateway.clients()[0]?.requests ?? 0) - before
        assert.isAtLeast(sent, 6)
        assert.isAtMost(sent, 40)
        assert.strictEqual(gateway.clients()[0]?.connection, 1)
        yield* pass(30 * second)
        assert.strictEqual(tags(seen).at(-1), "Quotes")
        assert.strictEqual(gateway.clients()[0]?.open.length, 1)
      })
    )
  )
})

describe("a message that the gateway leaves out because it was sent too many (100)", () => {
  it.effect("is asked again where nothing came of it, which is told until then; what was heard is left alone", () =>
    Effect.gen(function* () {
      yield* clockRuns
      const { asked, quotes, trades } = yield* begin((kind, id, talk, request) => {
        if (request === 1) talk.send(4, 2, -1, 100, "Max rate of messages per second has been exceeded", "")
        else if (kind === "1") talk.send(...price(id, 500))
        else talk.send(...trade(id))
      })
      yield* eventually("asked for again", () => asked("1") === 2 && quotes.said.includes("row"))
      assert.deepStrictEqual(quotes.said, ["Started", "Gap", "Resumed", "row"])
      assert.deepStrictEqual(quotes.why, ["the gateway has left out a message, which may have asked for it"])
      // It may have been in doubt for a moment, and has shown that it runs.
      assert.strictEqual(asked("97"), 1)
      assert.strictEqual(trades.said.at(-1), "row")
    })
  )
})
