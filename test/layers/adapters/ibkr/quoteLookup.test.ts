/** What stands at a gateway that says it bit by bit, or not at all; the clock is the test's. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import { answerBytes } from "../../../../src/layers/adapters/ibkr/answerBytes.ts"
import { decodeQuote } from "../../../../src/layers/adapters/ibkr/decodeQuote.ts"
import { lookupQuestion, quoteRequest } from "../../../../src/layers/adapters/ibkr/lookups.ts"
import { answerTime, scripted, type Talk } from "./scriptedGateway.ts"
import { counted, eventually, sessionAt, until } from "./session.ts"

const option = { symbol: "AAPL", secType: "OPT", exchange: "SMART", strike: 200, right: "C" }
const max = "1.7976931348623157E308"

/** A quote is asked for at a gateway that answers so. */
const asked = Effect.fnUntraced(function* (says: (id: string, talk: Talk) => void) {
  const gateway = yield* scripted({
    onMessage: (fields, talk) => {
      if (fields[0] === "1") says(fields[2] ?? "", talk)
      else answerTime(fields, talk)
    }
  })
  const session = yield* sessionAt(gateway.port)
  yield* session.ready
  // What a gateway says by itself has all come: the frames that follow are the answer's.
  yield* until(session, "Ready", ({ clockSkew, farms }) => clockSkew !== null && farms.length === 3)
  const before = (yield* session.counters).frames
  const question = lookupQuestion(quoteRequest(option, true), 60_000)
  if (question === null) return assert.fail("no question")
  const fiber = yield* Effect.forkScoped(Effect.result(session.ask(question)))
  const sent = (kind: string) => gateway.messages.filter(([id]) => id === kind)
  yield* eventually("it was asked for", () => sent("1").length === 1)
  const came = (frames: number) => counted(session, (counters) => counters.frames >= before + frames)
  return { fiber, sent, came }
})

describe("a quote of an option", () => {
  it.effect("is whole with both sides, the model and the open interest, and is cancelled then", () =>
    Effect.gen(function* () {
      const { fiber, sent } = yield* asked((id, { send }) => {
        send(58, 1, id, 1)
        send(1, 6, id, 1, "4.1", "12", 1)
        send(1, 6, id, 2, "4.3", "9", 1)
        send(1, 6, id, 4, "-1", "0", 0)
        send(2, 6, id, 8, "310")
        // Of the bid, whose greeks are not the model's, and before the model's own.
        send(21, id, 10, 0, "0.31", "0.9", "4.1", max, "0.1", "0.1", "-0.1", "201")
        send(21, id, 13, 0, "0.25", "0.52", "4.2", "0", "0.03", "0.17", "-0.11", "200.5")
        send(2, 6, id, 27, "1500")
      })
      const answer = yield* Fiber.join(fiber)
      if (Result.isFailure(answer)) return assert.fail(answer.failure.message)
      const { frames, serverVersion } = answer.success
      assert.deepStrictEqual(Result.getOrThrow(decodeQuote(answerBytes(serverVersion, frames))), {
        bid: 4.1,
        ask: 4.3,
        last: null,
        close: null,
        volume: 310,
        openInterest: 1500,
        iv: 0.25,
        delta: 0.52,
        gamma: 0.03,
        vega: 0.17,
        theta: -0.11,
        spot: 200.5
      })
      // No snapshot, which has no open interest.
      const request = sent("1")[0] ?? []
      assert.include(request, "101")
      yield* eventually("it was cancelled", () => sent("2").length === 1)
      assert.strictEqual(sent("2")[0]?.[2], request[2])
    })
  )

  it.effect("is what has come after four seconds, where the rest does not", () =>
    Effect.gen(function* () {
      const { came, fiber, sent } = yield* asked((id, { send }) => {
        send(1, 6, id, 66, "-1", "0", 0)
        send(1, 6, id, 67, "4.3", "9", 1)
        send(21, id, 83, 0, "-1", "-2", "-1", "-1", "-2", "-2", "-2", "-1")
      })
      yield* came(3)
      yield* TestClock.adjust("4 seconds")
      const answer = yield* Fiber.join(fiber)
      if (Result.isFailure(answer)) return assert.fail(answer.failure.message)
      const quote = Result.getOrThrow(decodeQuote(answerBytes(193, answer.success.frames)))
      assert.deepInclude(quote, { bid: null, ask: 4.3, iv: null, delta: null, spot: null, openInterest: null })
      yield* eventually("it was cancelled", () => sent("2").length === 1)
    })
  )

  it.effect("is no answer where nothing comes, and a refusal where it is refused", () =>
    Effect.gen(function* () {
      const silent = yield* asked(() => {})
      yield* TestClock.adjust("4 seconds")
      const none = yield* Fiber.join(silent.fiber)
      assert.isTrue(Result.isFailure(none) && none.failure.reason._tag === "NoAnswer")
      yield* eventually("it was cancelled", () => silent.sent("2").length === 1)

      const unlisted = yield* asked((id, { send }) =>
        send(4, 2, id, 200, "No security definition has been found for the request", "")
      )
      const refused = yield* Fiber.join(unlisted.fiber)
      assert.isTrue(Result.isSuccess(refused) && refused.success.refusal?.reason._tag === "NoSuchContract")
      // There is nothing to cancel.
      assert.strictEqual(unlisted.sent("2").length, 0)
    })
  )
})
