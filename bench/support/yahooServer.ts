/**
 * A YahooServer in a process of its own, so that what is measured does not share its event loop. It tells its parent the host
 * first, and takes orders as messages: `faults` to change, `now` to stop the market's clock at (null lets it go on), `log`
 * to be sent the requests so far, and `expected` to be sent what a correct client has of a range.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import type { Bar } from "../../src/domain/Bar.ts"
import type { SeriesKey } from "../../src/domain/SeriesKey.ts"
import type { TimeRange } from "../../src/domain/TimeRange.ts"
import * as YahooServer from "../../src/layers/testing/yahoo/YahooServer.ts"

type Order =
  | { readonly order: "faults"; readonly faults: Partial<YahooServer.YahooFaults> }
  | { readonly order: "now"; readonly now: number | null }
  | { readonly order: "log" }
  | { readonly order: "expected"; readonly series: SeriesKey; readonly range: TimeRange }

export interface YahooProcess {
  readonly host: string
  readonly setFaults: (faults: Partial<YahooServer.YahooFaults>) => Promise<void>
  readonly setClock: (now: number | null) => Promise<void>
  readonly log: () => Promise<ReadonlyArray<YahooServer.YahooReply>>
  readonly expected: (series: SeriesKey, range: TimeRange) => Promise<ReadonlyArray<Bar>>
  readonly stop: () => void
}

const self = fileURLToPath(import.meta.url)

/** Starts a server in a child process. Orders are carried out one after the other. */
export const startYahoo = async (
  options: Pick<YahooServer.YahooServerOptions, "seed" | "instruments" | "holes" | "faults" | "now"> = {}
): Promise<YahooProcess> => {
  const child = fork(self, [JSON.stringify(options)], { stdio: ["ignore", "inherit", "inherit", "ipc"] })
  const [{ host }] = await once(child, "message")
  let last: Promise<unknown> = Promise.resolve()
  const tell = <A>(order: Order): Promise<A> => {
    const answer = last.then(async () => {
      child.send(order)
      const [message] = await once(child, "message")
      return message.answer
    })
    last = answer
    return answer
  }
  return {
    host,
    setFaults: (faults) => tell({ order: "faults", faults }),
    setClock: (now) => tell({ order: "now", now }),
    log: () => tell({ order: "log" }),
    expected: (series, range) => tell({ order: "expected", series, range }),
    stop: () => child.kill()
  }
}

const carryOut = (server: YahooServer.YahooServer, order: Order): unknown => {
  switch (order.order) {
    case "faults":
      return server.setFaults(order.faults)
    case "now":
      return server.setClock(order.now)
    case "log":
      return server.log()
    case "expected":
      return server.expected(order.series, order.range)
  }
}

if (process.argv[1] === self) {
  const serve = Effect.gen(function* () {
    const server = yield* YahooServer.make(JSON.parse(process.argv[2] ?? "{}"))
    process.on("message", (order: Order) => {
      process.send?.({ answer: carryOut(server, order) ?? null })
    })
    process.send?.({ host: server.host })
    return yield* Effect.never
  }).pipe(Effect.scoped)
  process.on("disconnect", () => process.exit(0))
  Effect.runFork(serve)
}
