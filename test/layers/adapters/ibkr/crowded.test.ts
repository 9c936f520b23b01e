/** Subscriptions that cannot be asked for at once, or not at all: none is forgotten, and none takes the session with it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, References } from "effect"
import type { LineSpec } from "../../../../src/layers/adapters/ibkr/LineSpec.ts"
import { answerTime, scripted } from "./scriptedGateway.ts"
import { eventually, sessionAt, ticking } from "./session.ts"

const none = () => {}

const quotesOf = (symbol: string, over: Partial<LineSpec> = {}): LineSpec => ({
  what: `quotes of ${symbol}`,
  type: "quotes",
  sort: null,
  waits: none,
  send: (api, id) => api.reqMktData(id, { symbol, secType: "STK" }, "", false, false),
  cancel: (api, id) => api.cancelMktData(id),
  began: none,
  broke: none,
  refused: none,
  ...over
})

const symbols = Array.from({ length: 12 }, (_, at) => `S${at}`)

/** The gateway's log: what each connection was asked for, in order. */
const gatewayOf = Effect.fnUntraced(function* () {
  const asked: Array<ReadonlyArray<string>> = [[], []]
  const gateway = yield* scripted({
    onMessage: (fields, talk) => {
      answerTime(fields, talk)
      if (fields[0] === "1") asked[talk.number - 1] = [...(asked[talk.number - 1] ?? []), fields[4] ?? ""]
    }
  })
  return { ...gateway, of: (connection: number) => asked[connection - 1] ?? [] }
})

describe("subscriptions that cannot be asked for", () => {
  it.effect("for want of room among what is to be sent: all are asked for on the next connection, each once", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayOf()
      const session = yield* sessionAt(gateway.port, { capacity: 3 })
      yield* ticking
      for (const symbol of symbols) yield* session.subscribe(quotesOf(symbol))
      yield* eventually("all are asked for", () => gateway.of(1).length === symbols.length)
      gateway.drop()
      yield* eventually("and again", () => gateway.of(2).length >= symbols.length)
      assert.deepStrictEqual(gateway.of(2).toSorted(), symbols.toSorted())
    })
  )

  it.effect("one that fails where it is told to wait costs a connection, and not the session", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayOf()
      const session = yield* sessionAt(gateway.port, { lines: { "market-data": 0, depth: 0, "tick-by-tick": 0 } })
      yield* ticking
      let told = 0
      const waits = () => {
        if (++told === 2) throw new Error("a mistake of ours")
      }
      yield* session.subscribe(quotesOf("SPY", { sort: "market-data", waits }))
      yield* eventually("it waits for a line", () => told === 1)
      gateway.drop()
      yield* eventually("the connection after that which failed has it wait, too", () => told === 3)
      assert.strictEqual((yield* session.ready).connection, 3)
    }).pipe(Effect.provideService(References.MinimumLogLevel, "Fatal"))
  )

  it.effect("one that cannot be written ends, and says so", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayOf()
      const session = yield* sessionAt(gateway.port)
      yield* ticking
      let attempts = 0
      const ended: Array<string> = []
      yield* session.subscribe(
        quotesOf("SPY", {
          send: (api, id) => {
            if (++attempts > 1) throw new Error("no such field")
            api.reqMktData(id, { symbol: "SPY" }, "", false, false)
          },
          refused: ({ _tag }) => ended.push(_tag)
        })
      )
      yield* eventually("it is asked for", () => gateway.of(1).length === 1)
      gateway.drop()
      yield* eventually("it has ended", () => ended.length === 1)
      assert.deepStrictEqual(ended, ["Undecodable"])
    })
  )
})
