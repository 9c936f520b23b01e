/**
 * The session against a server that says what the test has written down. The clock is the test's: real sockets bring frames in their
 * own time, and deadlines and pauses pass when the test says so.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import { frameOf } from "../../../../src/layers/adapters/ibkr/frames.ts"
import type { Question } from "../../../../src/layers/adapters/ibkr/Question.ts"
import { answerTime, scripted, type Talk, welcome } from "./scriptedGateway.ts"
import { counted, eventually, sessionAt, until } from "./session.ts"

const headTimestamp: Question = {
  line: "history",
  send: (api, id) => api.reqHeadTimestamp(id, { symbol: "SPY" }, "TRADES", true, 2),
  cancel: (api, id) => api.cancelHeadTimestamp(id),
  isLast: () => true,
  messageIds: [88],
  within: 5_000,
  what: "the first instant of SPY"
}

describe("a session", () => {
  it.effect("connects when it is needed, and tells of its gateway", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({})
      const session = yield* sessionAt(gateway.port)
      assert.deepStrictEqual(yield* session.state, { _tag: "Idle" })
      assert.strictEqual(gateway.connections(), 0)
      const ready = yield* session.ready
      assert.strictEqual(ready._tag, "Ready")
      assert.strictEqual(ready.serverVersion, 193)
      assert.strictEqual(ready.clientId, 7)
      assert.strictEqual(ready.connection, 1)
      assert.deepStrictEqual(ready.accounts, ["DU1", "DU2"])
      const settled = yield* until(session, "Ready", ({ clockSkew, farms }) => clockSkew !== null && farms.length === 3)
      assert.deepStrictEqual(
        settled.farms.map(({ name, serves, state }) => `${name} ${serves} ${state}`),
        ["usfarm market ok", "ushmds history ok", "secdefnj definitions ok"]
      )
      // The test's clock begins in 1970.
      assert.isAbove(settled.clockSkew ?? 0, 1e12)
      assert.deepStrictEqual(gateway.messages[0], ["71", "2", "7", ""])
    })
  )

  it.effect("every state on the way is seen, and the sockets are gone with its scope", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({})
      const seen: Array<string> = []
      yield* Effect.scoped(
        Effect.gen(function* () {
          const session = yield* sessionAt(gateway.port)
          yield* Effect.forkScoped(
            Stream.runForEach(session.changes, (state) => Effect.sync(() => seen.push(state._tag)))
          )
          yield* eventually("Idle was seen", () => seen.includes("Idle"))
          yield* session.ready
          yield* eventually("Ready was seen", () => seen.includes("Ready"))
        })
      )
      assert.deepStrictEqual(seen.slice(0, 5), ["Idle", "Connecting", "Handshaking", "Handshaking", "Ready"])
      yield* eventually("the socket is closed", () => gateway.open() === 0)
    })
  )

  it.effect("refused: who asks is told at once, and it is tried again after growing pauses", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(Effect.map(scripted({}), (gateway) => gateway.port))
      const session = yield* sessionAt(port)
      const error = yield* Effect.flip(session.ready)
      assert.strictEqual(error.reason._tag, "Disconnected")
      assert.match(error.message, /no connection to 127\.0\.0\.1:\d+: connect ECONNREFUSED/)
      const pauses: Array<number> = []
      for (let attempt = 2; attempt < 9; attempt++) {
        const { after } = yield* until(session, "Reconnecting", (state) => state.attempt === attempt)
        pauses.push(after)
        yield* TestClock.adjust(after)
      }
      for (const [index, pause] of pauses.entries()) {
        const middle = Math.min(30_000, 1000 * 2 ** index)
        assert.isAtLeast(pause, middle * 0.8)
        assert.isAtMost(pause, middle * 1.2)
      }
    })
  )

  it.effect("what fails here is told to who waits, and it is tried again", () =>
    Effect.gen(function* () {
      // No port at all: the library throws when it is to connect.
      const session = yield* sessionAt(70_000)
      const error = yield* Effect.flip(session.ready)
      assert.match(error.message, /it failed here/)
      for (let attempt = 2; attempt < 5; attempt++) {
        const { after } = yield* until(session, "Reconnecting", (state) => state.attempt === attempt)
        yield* TestClock.adjust(after)
      }
    }).pipe(Effect.provideService(References.MinimumLogLevel, "Fatal"))
  )

  it.effect("a port that takes connections and says nothing is given up after five seconds", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({ onConnect: () => {} })
      const session = yield* sessionAt(gateway.port)
      const asked = yield* Effect.forkChild(Effect.flip(session.ready), { startImmediately: true })
      yield* until(session, "Handshaking")
      yield* TestClock.adjust("5 seconds")
      const error = yield* Fiber.join(asked)
      assert.strictEqual(error.reason._tag, "NoAnswer")
      assert.match(error.message, /said no version/)
      yield* eventually("the socket is closed", () => gateway.open() === 0)
    })
  )

  it.effect("a version that is not understood ends it for good", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({ version: 200 })
      const session = yield* sessionAt(gateway.port)
      const error = yield* Effect.flip(session.ready)
      assert.strictEqual(error.reason._tag, "Incompatible")
      assert.strictEqual((yield* session.state)._tag, "Closed")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(gateway.connections(), 1)
      assert.strictEqual((yield* Effect.flip(session.ready)).reason._tag, "Incompatible")
    })
  )

  it.effect("an id that another client has: the next one, after five seconds, and no tight loop", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onStart: (talk) => {
          if (talk.number > 3) return welcome(talk)
          talk.send(4, 2, -1, 326, "Unable to connect as the client id is already in use.", "")
          talk.socket.end()
        }
      })
      const session = yield* sessionAt(gateway.port)
      const asked = yield* Effect.forkChild(session.ready, { startImmediately: true })
      for (const clientId of [8, 9, 10]) {
        const waiting = yield* until(session, "Reconnecting", (state) => state.clientId === clientId)
        assert.strictEqual(waiting.cause._tag, "ClientIdTaken")
        assert.isAtLeast(waiting.after, 5_000)
        yield* TestClock.adjust(waiting.after)
      }
      assert.strictEqual((yield* Fiber.join(asked)).clientId, 10)
      assert.strictEqual(gateway.connections(), 4)
    })
  )

  it.effect("1100 and a broken farm degrade it and keep the socket; told once, and mended", () =>
    Effect.gen(function* () {
      let say = (..._fields: ReadonlyArray<string | number>) => {}
      const gateway = yield* scripted({
        onStart: (talk) => {
          say = talk.send
          welcome(talk)
        }
      })
      const session = yield* sessionAt(gateway.port)
      const events: Array<string> = []
      yield* Effect.forkScoped(
        Stream.runForEach(session.events, (event) =>
          Effect.sync(() =>
            events.push(event._tag === "UpstreamRestored" ? `${event._tag} ${event.dataLost}` : event._tag)
          )
        )
      )
      yield* session.ready
      yield* until(session, "Ready", ({ farms }) => farms.length === 3)
      say(4, 2, -1, 2103, "Market data farm connection is broken:usfarm", "")
      const broken = yield* until(session, "Degraded")
      assert.isFalse(broken.upstream)
      say(4, 2, -1, 2104, "Market data farm connection is OK:usfarm", "")
      yield* until(session, "Ready")
      for (let index = 0; index < 5; index++) say(4, 2, -1, 1100, "Connectivity between IB and TWS has been lost.", "")
      assert.isTrue((yield* until(session, "Degraded")).upstream)
      const asked = yield* Effect.forkChild(session.ready, { startImmediately: true })
      say(4, 2, -1, 1101, "Connectivity between IB and TWS has been restored - data lost.", "")
      yield* until(session, "Ready")
      assert.strictEqual((yield* Fiber.join(asked)).connection, 1)
      assert.deepStrictEqual(
        events.filter((event) => event !== "Notice"),
        ["Connected", "FarmBroken", "FarmRestored", "UpstreamLost", "UpstreamRestored true"]
      )
      assert.strictEqual(gateway.connections(), 1)
    })
  )

  it.effect("a gateway that is silent for 25 seconds is left, asked for the time after ten", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          if (talk.number > 1) answerTime(fields, talk)
        }
      })
      const session = yield* sessionAt(gateway.port)
      yield* session.ready
      const times = () => gateway.messages.filter(([id]) => id === "49").length
      yield* until(session, "Ready", ({ farms }) => farms.length === 3)
      yield* eventually("the first question for the time", () => times() === 1)
      yield* TestClock.adjust("10 seconds")
      yield* eventually("the probe", () => times() === 2)
      yield* TestClock.adjust("14 seconds")
      assert.strictEqual((yield* session.state)._tag, "Ready")
      yield* TestClock.adjust("1 seconds")
      const { after, cause } = yield* until(session, "Reconnecting")
      assert.match(cause.message, /silent for 25 s/)
      yield* TestClock.adjust(after)
      const again = yield* until(session, "Ready")
      assert.strictEqual(again.connection, 2)
    })
  )

  it.effect("a gateway that answers the probe is kept", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({})
      const session = yield* sessionAt(gateway.port)
      yield* session.ready
      // What comes at the beginning has come.
      yield* until(session, "Ready", ({ clockSkew, farms }) => clockSkew !== null && farms.length === 3)
      const times = () => gateway.messages.filter(([id]) => id === "49").length
      for (let probe = 2; probe < 12; probe++) {
        const { frames } = yield* session.counters
        yield* TestClock.adjust("10 seconds")
        yield* eventually(`probe ${probe}`, () => times() >= probe)
        yield* counted(session, (now) => now.frames > frames)
      }
      assert.strictEqual(gateway.connections(), 1)
    })
  )

  it.effect("the gateway's clock is known while it goes another way than ours, also where it is never silent", () =>
    Effect.gen(function* () {
      let theirs = 1_775_829_600_000
      let speak: Talk["send"] = () => {}
      const gateway = yield* scripted({
        onStart: (talk) => {
          speak = talk.send
          welcome(talk)
        },
        onMessage: (fields, talk) => answerTime(fields, talk, () => theirs)
      })
      const session = yield* sessionAt(gateway.port)
      yield* session.ready
      yield* until(session, "Ready", ({ clockSkew }) => clockSkew !== null)
      assert.isAtMost(Math.abs(session.vendorNow() - theirs), 500)
      theirs += 7_000
      for (let step = 0; step < 14; step++) {
        const { frames } = yield* session.counters
        theirs += 5_000
        yield* TestClock.adjust("5 seconds")
        speak(4, 2, -1, 2104, "Market data farm connection is OK:usfarm", "")
        yield* counted(session, (now) => now.frames > frames)
      }
      yield* eventually("it is known", () => Math.abs(session.vendorNow() - theirs) <= 1_000)
    })
  )
})

describe("a question", () => {
  it.effect("its answer is the frames as they came", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          if (fields[0] === "87") talk.send(88, fields[1] ?? "", "727622400")
          else answerTime(fields, talk)
        }
      })
      const session = yield* sessionAt(gateway.port)
      const answer = yield* session.ask(headTimestamp)
      assert.strictEqual(answer.frames.length, 1)
      assert.deepStrictEqual(answer.frames[0], frameOf([88, 100_000_000, "727622400"]))
      assert.isNull(answer.refusal)
      assert.strictEqual(answer.serverVersion, 193)
    })
  )

  it.effect("what IB says instead is told by what it means, with its frame; a warning ends nothing", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          if (fields[0] !== "87") return answerTime(fields, talk)
          talk.send(4, 2, fields[1] ?? "", 2100, "Warning: it may take a while", "")
          talk.send(4, 2, fields[1] ?? "", 200, "No security definition has been found: Z\\u00fcrich", "")
        }
      })
      const session = yield* sessionAt(gateway.port)
      const { frames, refusal } = yield* session.ask(headTimestamp)
      assert.strictEqual(refusal?.reason._tag, "NoSuchContract")
      assert.match(refusal?.message ?? "", /: Zürich$/)
      assert.strictEqual(frames.length, 1)
    })
  )

  it.effect("without an answer it ends in time, is given up at the gateway, and a late answer is nobody's", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          if (fields[0] === "90") talk.send(88, fields[1] ?? "", "727622400")
          else answerTime(fields, talk)
        }
      })
      const session = yield* sessionAt(gateway.port)
      yield* session.ready
      const asked = yield* Effect.forkChild(Effect.flip(session.ask(headTimestamp)), { startImmediately: true })
      yield* eventually("it was asked", () => gateway.messages.some(([id]) => id === "87"))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(asked)).reason._tag, "NoAnswer")
      yield* eventually("it was given up", () => gateway.messages.some(([id]) => id === "90"))
      yield* counted(session, ({ late }) => late === 1)
      assert.strictEqual((yield* session.state)._tag, "Ready")
    })
  )

  it.effect("interrupted while it waits for its turn it is never sent", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({})
      const session = yield* sessionAt(gateway.port)
      yield* session.ready
      yield* eventually("the first question for the time", () => gateway.messages.length === 2)
      // Seven tokens are left of the burst of eight.
      const asked = yield* Effect.forEach(
        Array.from({ length: 9 }, () => headTimestamp),
        (question) => Effect.forkChild(session.ask(question), { startImmediately: true })
      )
      const heads = () => gateway.messages.filter(([id]) => id === "87").length
      yield* eventually("seven were sent", () => heads() === 7)
      const [, last] = asked.slice(-2)
      if (last !== undefined) yield* Fiber.interrupt(last)
      yield* TestClock.adjust("1 second")
      yield* eventually("the eighth was sent", () => heads() === 8)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(heads(), 8)
    })
  )

  it.effect("fails with the connection that it was asked on, and the next connection knows nothing of it", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          if (fields[0] === "87" && talk.number === 1) talk.socket.destroy()
          else answerTime(fields, talk)
        }
      })
      const session = yield* sessionAt(gateway.port)
      const error = yield* Effect.flip(session.ask(headTimestamp))
      assert.strictEqual(error.reason._tag, "Disconnected")
      const { after } = yield* until(session, "Reconnecting")
      yield* TestClock.adjust(after)
      yield* until(session, "Ready", ({ clockSkew }) => clockSkew !== null)
      assert.strictEqual(gateway.messages.filter(([id]) => id === "87").length, 1)
    })
  )

  it.effect("an answer that is too large fails instead of filling the memory", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          if (fields[0] === "87") talk.send(88, fields[1] ?? "", "7".repeat(2_000_000))
          else answerTime(fields, talk)
        }
      })
      const session = yield* sessionAt(gateway.port)
      assert.strictEqual((yield* Effect.flip(session.ask(headTimestamp))).reason._tag, "Undecodable")
      assert.strictEqual((yield* session.state)._tag, "Ready")
    })
  )
})

describe("damaged input ends its connection and nothing else", () => {
  const lengthOf = (length: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(length)
    return bytes
  }
  const cases: ReadonlyArray<readonly [string, Uint8Array]> = [
    ["length -1", lengthOf(-1)],
    ["length -6", lengthOf(-6)],
    ["length 0", lengthOf(0)],
    ["huge length", lengthOf(0x7f_ff_ff_ff)],
    ["no NUL", Buffer.concat([lengthOf(10), Buffer.from("1700000000")])],
    ["no UTF-8", Buffer.concat([lengthOf(4), Buffer.from([52, 0, 0xff, 0])])],
    ["random bytes", Buffer.from([0, 0, 0, 3, 0xfe, 0x01, 0])],
    ["an invalid order reject", frameOf([4, 2, 5, 201, "Order rejected", "{not json"])],
    ["a negative count", frameOf([96, 12, -4, 1])],
    ["a count of no number", frameOf([98, 12, "many", 1])]
  ]
  for (const [what, bytes] of cases) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const gateway = yield* scripted({
          onStart: (talk) => {
            welcome(talk)
            if (talk.number === 1) talk.raw(bytes)
          }
        })
        const session = yield* sessionAt(gateway.port)
        yield* session.ready
        const { after, cause } = yield* until(session, "Reconnecting")
        assert.strictEqual(cause._tag, "Undecodable")
        yield* TestClock.adjust(after)
        assert.strictEqual((yield* until(session, "Ready", ({ clockSkew }) => clockSkew !== null)).connection, 2)
        assert.strictEqual((yield* session.counters).damaged, 1)
      })
    )
  }

  for (const [what, bytes] of [
    ["an unknown message", frameOf([250, 1, 2])],
    ["a message with fields missing", frameOf([1, 6, 42])],
    ["a message with fields too many", frameOf([49, 1, 1_700_000_000, 3, 4])],
    ["a count that is larger than its message", frameOf([97, 12, 40_000_000, 1])]
  ] as const) {
    it.effect(`${what} is passed over and counted`, () =>
      Effect.gen(function* () {
        const gateway = yield* scripted({
          onStart: (talk) => {
            welcome(talk)
            talk.raw(bytes)
            talk.send(4, 2, -1, 2103, "Market data farm connection is broken:eufarm", "")
          }
        })
        const session = yield* sessionAt(gateway.port)
        yield* session.ready
        yield* until(session, "Degraded")
        const counters = yield* session.counters
        assert.isAtLeast(counters.undecodable, 1)
        assert.strictEqual(counters.damaged, 0)
        assert.strictEqual(gateway.connections(), 1)
      })
    )
  }
})
