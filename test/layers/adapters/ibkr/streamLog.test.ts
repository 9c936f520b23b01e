/** What the log of the process says of streams, as the line that a reader of it gets. */
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Logger } from "effect"
import { MarketStreams } from "../../../../src/services/MarketStreams.ts"
import { record } from "../../streams/support.ts"
import { rigged } from "./rigged.ts"

const second = 1_000

interface Line {
  readonly level: string
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
}

/** Collects what is written to standard error. */
const listening = () => {
  const written: Array<string> = []
  const console: Console.Console = Object.assign(Object.create(globalThis.console), {
    error: (text: string) => written.push(text)
  })
  return {
    about: (symbol: string): ReadonlyArray<Line> =>
      written.map((text): Line => JSON.parse(text)).filter(({ annotations }) => annotations.symbol === symbol),
    within: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      effect.pipe(
        Effect.provide(Logger.layer([Logger.withConsoleError(Logger.formatJson)])),
        Effect.provideService(Console.Console, console)
      )
  }
}

describe("the log of streams", () => {
  it.effect("says which streams broke, came again and were made whole, and over which connection", () => {
    const log = listening()
    return log.within(
      rigged(
        ({ gateway, pass }) =>
          Effect.gen(function* () {
            yield* record([{ symbol: "SPY", kind: "trades" }], {}, "ibkr")
            yield* record([{ symbol: "AAPL", kind: "quotes" }], {}, "ibkr")
            yield* pass(5 * second)
            assert.deepStrictEqual(log.about("SPY"), [])
            yield* gateway.inject({ _tag: "Drop", how: "rst" })
            yield* pass(40 * second)
            const spy = log.about("SPY")
            assert.deepStrictEqual(
              spy.map(({ annotations, level, message }) => [
                level,
                /has a gap|comes again|after all/.exec(message)?.[0],
                annotations
              ]),
              [
                ["INFO", "has a gap", { vendor: "ibkr", kind: "trades", symbol: "SPY", connection: 1 }],
                ["INFO", "comes again", { vendor: "ibkr", kind: "trades", symbol: "SPY", connection: 2 }],
                ["INFO", "after all", { vendor: "ibkr", kind: "trades", symbol: "SPY", connection: 2 }]
              ]
            )
            assert.match(spy[0]?.message ?? "", /^trades of SPY has a gap from 2\S+Z on: .+/)
            assert.deepStrictEqual(
              log.about("AAPL").map(({ annotations, level }) => [level, annotations.connection]),
              [
                ["INFO", 1],
                ["INFO", 2],
                ["INFO", 2]
              ]
            )
          }),
        {},
        "Info"
      )
    )
  })

  it.effect("says once a minute that rows are dropped for who is slow, and when one is ended for it", () => {
    const log = listening()
    return log.within(
      rigged(
        ({ pass }) =>
          Effect.gen(function* () {
            const market = yield* MarketStreams
            const streams = [{ symbol: "SPY", kind: "trades" as const }]
            yield* market.subscribe({ vendor: "ibkr", streams }, { policy: { _tag: "sliding", rows: 2 } })
            yield* market.subscribe({ vendor: "ibkr", streams }, { policy: { _tag: "lossless", rows: 2 } })
            yield* pass(50 * second)
            const lines = log.about("SPY")
            assert.isTrue(lines.every(({ annotations, level }) => level === "WARN" && annotations.connection === 1))
            assert.lengthOf(
              lines.filter(({ message }) => message.includes("were dropped for slow consumers")),
              1
            )
            assert.lengthOf(
              lines.filter(({ message }) => message.includes("rows waiting was ended")),
              1
            )
            yield* pass(30 * second)
            assert.lengthOf(
              log.about("SPY").filter(({ message }) => message.includes("were dropped for slow consumers")),
              2
            )
          }),
        {},
        "Info"
      )
    )
  })

  it.effect("says that a stream has ended for good, and not that nobody wants it any more", () => {
    const log = listening()
    return log.within(
      rigged(
        ({ pass }) =>
          Effect.gen(function* () {
            yield* Effect.scoped(record([{ symbol: "SPY", kind: "quotes" }], {}, "ibkr"))
            yield* record([{ symbol: "NOSUCHTHING", kind: "quotes" }], {}, "ibkr")
            yield* pass(10 * second)
            assert.deepStrictEqual(log.about("SPY"), [])
            const [ended, ...more] = log.about("NOSUCHTHING")
            assert.deepStrictEqual(more, [])
            assert.deepInclude(ended, { level: "WARN" })
            assert.match(ended?.message ?? "", /^quotes of NOSUCHTHING has ended for good: /)
            assert.strictEqual(ended?.annotations.connection, 1)
          }),
        {},
        "Info"
      )
    )
  })
})
