/**
 * The live part of the demo: quotes and trades of a gateway of Interactive Brokers that is simulated in this process, one connection that is cut on
 * purpose, and the gap that is mended. The gateway, its protocol, the session and the streams are those of every other command; only the market is made up.
 */
import { Clock, Effect, Fiber, References, Result } from "effect"
import * as IbkrAdapter from "../../layers/adapters/ibkr/IbkrAdapter.ts"
import { resolveVendor } from "../../layers/adapters/ibkr/IbkrVendor.ts"
import * as GatewaySimulator from "../../layers/testing/gateway/GatewaySimulator.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { MarketStreams } from "../../services/MarketStreams.ts"
import { instant } from "../format/Documents.ts"
import { grouped } from "../format/Numbers.ts"
import { wrap } from "../format/wrap.ts"
import { quoteBoard } from "../streams/QuoteBoard.ts"
import { Output } from "../terminal/Output.ts"
import { redrawing } from "../terminal/Redraw.ts"
import { styleOf } from "../terminal/Style.ts"
import { LiveLog } from "./LiveLog.ts"

export const symbols = ["SPY", "AAPL", "MSFT", "EUR.USD"] as const
const followed = "SPY"
const seed = 7
const indent = "   "
const redrawEvery = 200
/** The connection is cut when so much of the time has passed. */
export const cutAfter = 0.35
/** Milliseconds in which nobody can connect then. */
const away = 2_000
/** On what is no terminal the table is shown so often, in milliseconds. */
const tableEvery = 10_000

/** Ends after so many seconds. With `silent` nothing is shown. */
export const live = Effect.fn("demo.live")(
  function* (seconds: number, silent: boolean) {
    const { lines, terminal } = yield* Output
    const style = styleOf(terminal)
    const width = () => (terminal.isTerminal ? Math.min(terminal.columns, 110) : 110) - indent.length
    const gateway = yield* GatewaySimulator.make({
      seed,
      clock: { speed: 1 },
      start: yield* Clock.currentTimeMillis,
      hours: "always",
      activity: 5
    })
    const vendor = Result.getOrThrow(resolveVendor("ibkr", { port: gateway.port }, 1 << 26))
    const registry = yield* AdapterRegistry
    yield* registry.register(IbkrAdapter.make(vendor))
    const market = yield* MarketStreams
    const quotes = yield* market.subscribe({
      vendor: "ibkr",
      streams: symbols.map((symbol) => ({ symbol, kind: "quotes" }))
    })
    const trades = yield* market.subscribe({ vendor: "ibkr", streams: [{ symbol: followed, kind: "trades" }] })

    const began = yield* Clock.currentTimeMillis
    const board = quoteBoard(quotes.keys)
    const log = new LiveLog(began)
    let ticks = 0
    log.say(began, `connected: live quotes, and the trades of ${followed} one by one`)
    const listening = yield* Effect.all(
      [
        Effect.forever(
          Effect.gen(function* () {
            const items = yield* quotes.take
            const now = yield* Clock.currentTimeMillis
            ticks += items.length
            for (const item of items) {
              board.take(item)
              log.quote(now, item.event)
            }
          })
        ),
        Effect.forever(
          Effect.gen(function* () {
            const items = yield* trades.take
            const now = yield* Clock.currentTimeMillis
            for (const { event } of items) log.trades(now, event)
          })
        )
      ],
      { concurrency: "unbounded", discard: true }
    ).pipe(Effect.forkScoped)

    const table = () => [
      ...wrap(`simulated, seed ${seed}: not the prices of any market`, width()).map((part) => style.yellow(part)),
      // The words of single streams are told below, once for all of them.
      ...board.lines(style, width()).slice(0, 1 + symbols.length)
    ]
    const told = () =>
      log.said.flatMap(({ second, text }) =>
        wrap(text, width() - 6).map((part, index) =>
          style.cyan(`${index === 0 ? `${String(second).padStart(2)} s` : "    "}  ${part}`)
        )
      )
    const placed = (texts: ReadonlyArray<string>) => texts.map((text) => (text === "" ? "" : `${indent}${text}`))
    const { redraw } = yield* redrawing
    let shown = 0
    // First when every line has something.
    let tableAt = began + 2_000 - tableEvery
    const show = Effect.fnUntraced(function* (now: number, last: boolean) {
      if (silent) return
      if (terminal.isTerminal) {
        const above = table()
        // Of what was told the newest, where there is no room for all of it.
        return yield* redraw(placed([...above, "", ...told().slice(-Math.max(1, terminal.rows - above.length - 2))]))
      }
      const news = told().slice(shown)
      shown += news.length
      yield* lines(placed(news))
      if (!last && now - tableAt < tableEvery) return
      tableAt = now
      yield* lines(placed(["", ...table(), ...(last ? [] : [""])]))
    })

    let cut = false
    for (;;) {
      yield* Effect.sleep(redrawEvery)
      const now = yield* Clock.currentTimeMillis
      const passed = (now - began) / 1_000
      if (!cut && passed >= seconds * cutAfter) {
        cut = true
        log.say(now, "the connection is cut, on purpose, and nobody can connect for a moment")
        yield* gateway.inject({ _tag: "Refuse", forMillis: away })
        yield* gateway.inject({ _tag: "Drop", how: "rst" })
      }
      yield* show(now, passed >= seconds)
      if (passed >= seconds) break
    }
    yield* Fiber.interrupt(listening)
    const happened = gateway
      .truth(followed, log.from ?? 0, log.from === null ? 0 : log.through)
      .trades.filter(({ at }) => log.counts(Math.floor(at / 1_000) * 1_000)).length
    const { repaired } = log
    return {
      simulated: true,
      seed,
      seconds,
      symbols: [...symbols],
      ticks,
      gap: repaired === null ? null : { from: instant(repaired.from), to: instant(repaired.to), rows: repaired.rows },
      trades: { symbol: followed, told: log.told, happened },
      summary:
        repaired === null
          ? "The gap is still open: this machine was too slow for so short a time; try --live 60."
          : `${grouped(log.told)} trades of ${followed} were told in all, and ${grouped(happened)} happened: ${
              log.told === happened ? "none too few, none twice." : "they differ, and that is a defect."
            }`
    }
  },
  Effect.scoped,
  // The session says in the log what is told here.
  Effect.provideService(References.MinimumLogLevel, "Fatal")
)
