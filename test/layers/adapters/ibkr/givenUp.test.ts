/** Cancels that a gateway has not heard, and lines for questions. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Logger, Scope } from "effect"
import type { LineSpec } from "../../../../src/layers/adapters/ibkr/LineSpec.ts"
import { lookupQuestion, quoteRequest } from "../../../../src/layers/adapters/ibkr/lookups.ts"
import { IbkrError } from "../../../../src/services/IbkrSession.ts"
import { MarketStreams } from "../../../../src/services/MarketStreams.ts"
import { rigged } from "./rigged.ts"
import { answerTime, scripted } from "./scriptedGateway.ts"
import { eventually, sessionAt, ticking } from "./session.ts"

const second = 1_000
const none = () => {}

const quotesOf = (symbol: string, waits: LineSpec["waits"] = none): LineSpec => ({
  what: `quotes of ${symbol}`,
  type: "quotes",
  sort: "market-data",
  waits,
  send: (api, id) => api.reqMktData(id, { symbol, secType: "STK" }, "", false, false),
  cancel: (api, id) => api.cancelMktData(id),
  began: none,
  broke: none,
  refused: none
})

const option = { symbol: "AAPL", secType: "OPT", exchange: "SMART", strike: 200, right: "C" }
const oneLine = { "market-data": 1, depth: 1, "tick-by-tick": 1 }

describe("a cancel that a gateway has left out", () => {
  it.effect("because it was sent too much (100) is sent again, and the line is free", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const market = yield* MarketStreams
        const scope = yield* Scope.make()
        const symbols = ["SPY", "AAPL", "MSFT"]
        const streams = symbols.map((symbol) => ({ symbol, kind: "quotes" as const }))
        yield* Scope.provide(market.subscribe({ vendor: "ibkr", streams }), scope)
        yield* pass(3 * second)
        const open = () => gateway.clients().flatMap((client) => client.open.map(({ symbol }) => symbol))
        assert.deepStrictEqual(open().toSorted(), symbols.toSorted())
        yield* gateway.inject({ _tag: "RateExceeded", leavesOut: 2 })
        yield* Scope.close(scope, Exit.void)
        // Streams linger for two seconds, the gateway rests for one, and what goes on coming would be looked at two after the cancel.
        yield* pass(3_750)
        assert.deepStrictEqual(open(), [])
      })
    )
  )

  it.effect("is noticed by what goes on coming, sent three times more, and then the log has it", () => {
    const warnings: Array<string> = []
    const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
      if (logLevel === "Warn") warnings.push(String(message))
    })
    return Effect.gen(function* () {
      let goesOn = none
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          answerTime(fields, talk)
          if (fields[0] === "1") goesOn = () => talk.send(1, 6, fields[2] ?? "", 1, "4.1", "12", 1)
        }
      })
      yield* Effect.acquireRelease(
        Effect.sync(() => setInterval(() => goesOn(), 2)),
        (timer) => Effect.sync(() => clearInterval(timer))
      )
      const session = yield* sessionAt(gateway.port)
      yield* ticking
      const cancelled = () => gateway.messages.filter(([kind]) => kind === "2").map(([, , id]) => id)
      yield* Effect.scoped(
        Effect.andThen(
          session.subscribe(quotesOf("SPY")),
          eventually("it was asked for", () => gateway.messages.some(([kind]) => kind === "1"))
        )
      )
      yield* eventually("the log has it", () => warnings.length > 0)
      const [id] = cancelled()
      assert.deepStrictEqual(cancelled(), [id, id, id, id])
      assert.deepStrictEqual(warnings, [`ibkr: request ${id} was cancelled 4 times, and the gateway goes on with it`])
      yield* Effect.sleep("20 seconds")
      assert.lengthOf(cancelled(), 4)
    }).pipe(Effect.provide(Logger.layer([logger])))
  })

  it.effect("is not sent again where nothing comes any more", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          answerTime(fields, talk)
          // What was on its way.
          if (fields[0] === "2") talk.send(1, 6, fields[2] ?? "", 1, "4.1", "12", 1)
        }
      })
      const session = yield* sessionAt(gateway.port)
      yield* ticking
      yield* Effect.scoped(
        Effect.andThen(
          session.subscribe(quotesOf("SPY")),
          eventually("it was asked for", () => gateway.messages.some(([kind]) => kind === "1"))
        )
      )
      yield* Effect.sleep("10 seconds")
      assert.lengthOf(
        gateway.messages.filter(([kind]) => kind === "2"),
        1
      )
    })
  )
})

describe("a stream for which the account has no line", () => {
  it.effect("waits, and is not broken, until one is given up", () =>
    rigged(({ pass }) =>
      Effect.gen(function* () {
        const market = yield* MarketStreams
        const scope = yield* Scope.make()
        const depthOf = (symbol: string) => ({ vendor: "ibkr", streams: [{ symbol, kind: "depth" as const }] })
        for (const symbol of ["SPY", "AAPL", "MSFT"]) yield* Scope.provide(market.subscribe(depthOf(symbol)), scope)
        yield* market.subscribe(depthOf("SIM0001"))
        yield* pass(3 * second)
        const states = Effect.map(market.states, (all) =>
          all.map(({ key, state }) => `${key.symbol} ${state}`).toSorted()
        )
        assert.deepStrictEqual(yield* states, ["AAPL live", "MSFT live", "SIM0001 waiting", "SPY live"])
        yield* Scope.close(scope, Exit.void)
        yield* pass(6 * second)
        assert.deepStrictEqual(yield* states, ["SIM0001 live"])
      })
    )
  )
})

describe("a question that takes a line of the account", () => {
  it.effect("waits for one behind those that wait already, and the next has it when its cancel is on its way", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          answerTime(fields, talk)
          // A quote of an option, whole.
          if (fields[0] !== "1" || fields[5] !== "OPT") return
          const id = fields[2] ?? ""
          talk.send(1, 6, id, 1, "4.1", "12", 1)
          talk.send(1, 6, id, 2, "4.3", "9", 1)
          talk.send(21, id, 13, 0, "0.25", "0.52", "4.2", "0", "0.03", "0.17", "-0.11", "200.5")
          talk.send(2, 6, id, 27, "1500")
        }
      })
      const session = yield* sessionAt(gateway.port, { lines: oneLine })
      yield* ticking
      const question = lookupQuestion(quoteRequest(option, true), 60_000)
      if (question === null) return assert.fail("no question")
      const first = yield* Scope.make()
      yield* Scope.provide(session.subscribe(quotesOf("FIRST")), first)
      const said = () =>
        gateway.messages
          .filter(([kind]) => kind === "1" || kind === "2")
          .map(([kind, , , , symbol]) => (kind === "2" ? "cancel" : symbol))
      yield* eventually("the first has it", () => said().length === 1)

      const waited = yield* Effect.flip(session.ask(question))
      assert.instanceOf(waited, IbkrError)
      assert.deepInclude(waited.reason, { _tag: "LinesExhausted", sort: "market-data" })
      assert.deepStrictEqual(said(), ["FIRST"])

      const asking = yield* Effect.forkScoped(session.ask(question), { startImmediately: true })
      const why: Array<string> = []
      yield* session.subscribe(quotesOf("SECOND", (reason) => why.push(reason)))
      assert.lengthOf(why, 1)
      yield* Scope.close(first, Exit.void)
      const { frames, refusal } = yield* Fiber.join(asking)
      assert.deepStrictEqual([frames.length, refusal], [4, null])
      yield* eventually("the second has it", () => said().includes("SECOND"))
      assert.deepStrictEqual(said(), ["FIRST", "cancel", "AAPL", "cancel", "SECOND"])
    })
  )

  it.effect("that is refused one teaches how many there are, and gives back what it had", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          answerTime(fields, talk)
          if (fields[5] === "OPT") talk.send(4, 2, fields[2] ?? "", 101, "Max number of tickers has been reached", "")
        }
      })
      const session = yield* sessionAt(gateway.port, { lines: { ...oneLine, "market-data": 5 } })
      yield* ticking
      const question = lookupQuestion(quoteRequest(option, true), 60_000)
      if (question === null) return assert.fail("no question")
      yield* session.subscribe(quotesOf("FIRST"))
      const { refusal } = yield* session.ask(question)
      assert.strictEqual(refusal?.reason._tag, "LinesExhausted")
      const why: Array<string> = []
      yield* session.subscribe(quotesOf("SECOND", (reason) => why.push(reason)))
      assert.match(why[0] ?? "", /^all 1 lines for market-data data are in use/)
      // One more is tried after a minute.
      yield* eventually("the second was tried", () => gateway.messages.some((fields) => fields[4] === "SECOND"))
    })
  )
})
