/**
 * A server that speaks Yahoo's chart endpoint on a real socket, over a market that follows from a seed: any range and interval,
 * the limits of the real one with its messages, a live last row, and everything that is known to go wrong with it. What a
 * correct client must have of a range is `expected`.
 *
 * Its time is the Clock's where it was made, or what `setClock` says. Delays are real ones.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Clock, Effect, type Scope } from "effect"
import type { Bar } from "../../../domain/Bar.ts"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import { chance } from "../ModelMarket.ts"
import { expectedBars } from "./expectedBars.ts"
import { type ChartQuery, datedIntervals, intradayLengths, renderChart } from "./renderChart.ts"
import { noFaults, type Refusal, refusals, type Trouble, troubleOf, type YahooFaults } from "./YahooFaults.ts"
import { instruments, type YahooInstrument } from "./YahooInstrument.ts"
import { YahooMarket } from "./YahooMarket.ts"

export { noFaults, strangeBodies, type YahooFaults } from "./YahooFaults.ts"
export { instruments, share, type YahooInstrument } from "./YahooInstrument.ts"

/** One request as the server saw it. `attempt` counts the same request from 1. */
export interface YahooRequest {
  readonly url: string
  readonly symbol: string
  readonly query: ChartQuery
  readonly at: EpochMillis
  readonly attempt: number
  readonly cookie: string | null
  readonly userAgent: string | null
}

/** What became of it. Status 0: the connection was closed without an answer. */
export interface YahooReply extends YahooRequest {
  readonly status: number
  readonly trouble: Trouble | "limit" | "unknown" | null
  /** Bytes of the body that was meant to be sent. */
  readonly bytes: number
}

export interface YahooServerOptions {
  /** 1 unless given. */
  readonly seed?: number
  readonly instruments?: ReadonlyArray<YahooInstrument>
  /** Share (0 to 1) of minutes without a trade; 0.02 unless given. */
  readonly holes?: number
  readonly faults?: Partial<YahooFaults>
  /** Decides before the faults do; null leaves it to them. */
  readonly trouble?: (request: YahooRequest) => Trouble | null
  /** Where the time of the market stands; else it is the Clock's. */
  readonly now?: EpochMillis
  /** 0, any that is free, unless given. */
  readonly port?: number
}

export interface YahooServer {
  /** The origin to configure as `host`. */
  readonly host: string
  readonly faults: () => YahooFaults
  readonly setFaults: (faults: Partial<YahooFaults>) => void
  /** Stops the market's time at an instant; null gives it back to the Clock. */
  readonly setClock: (instant: EpochMillis | null) => void
  readonly now: () => EpochMillis
  /** Everything that was asked so far, in the order in which it was answered. */
  readonly log: () => ReadonlyArray<YahooReply>
  readonly clearLog: () => void
  /** What a correct client has of a range that it asks for at `at`; now unless given. Of an unknown symbol nothing. */
  readonly expected: (series: SeriesKey, range: TimeRange, at?: EpochMillis) => ReadonlyArray<Bar>
}

const day = 86_400

/** What the endpoint allows: seconds that a request may span, and the age of its beginning. */
const limits: Readonly<Record<string, { readonly span: number; readonly age: number }>> = {
  "1m": { span: 8 * day, age: 30 * day },
  ...Object.fromEntries(["2m", "5m", "15m", "30m", "90m"].map((name) => [name, { span: 60 * day, age: 60 * day }])),
  ...Object.fromEntries(["60m", "1h"].map((name) => [name, { span: 730 * day, age: 730 * day }]))
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

const refused = (status: number, code: string, description: string): Answer => ({
  status,
  type: "application/json",
  body: JSON.stringify({ chart: { result: null, error: { code, description } } })
})

/** What the endpoint says against a request; null: nothing. */
const limitOf = ({ interval, period1, period2 }: ChartQuery, now: EpochMillis): Answer | null => {
  if (intradayLengths[interval] === undefined && datedIntervals[interval] === undefined) {
    return refused(400, "Bad Request", `Invalid input - interval=${interval} is not supported.`)
  }
  if (!(period1 < period2)) return refused(400, "Bad Request", "Invalid input - start date cannot be after end date.")
  const limit = limits[interval]
  if (limit === undefined) return null
  if (interval === "1m" && period2 - period1 > limit.span) {
    const words = "Only 8 days worth of 1m granularity data are allowed to be fetched per request."
    return refused(422, "Unprocessable Entity", words)
  }
  if (period1 < now / 1000 - limit.age || period2 - period1 > limit.span) {
    return refused(
      422,
      "Unprocessable Entity",
      `${interval} data not available for startTime=${period1} and endTime=${period2}. The requested range must be within the last ${limit.age / day} days.`
    )
  }
  return null
}

const isRefusal = (trouble: Trouble): trouble is Refusal => trouble in refusals

const queryOf = (parameters: URLSearchParams): ChartQuery => ({
  interval: parameters.get("interval") ?? "1d",
  period1: Number(parameters.get("period1") ?? 0),
  period2: Number(parameters.get("period2") ?? 9_999_999_999),
  includePrePost: parameters.get("includePrePost") === "true",
  events: parameters.get("events") ?? ""
})

const path = /^\/v8\/finance\/chart\/([^/]+)$/

/** Starts a server; it is closed, with all its connections, when the scope closes. */
export const make = (options: YahooServerOptions = {}): Effect.Effect<YahooServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const seed = options.seed ?? 1
    const markets = new Map(
      (options.instruments ?? instruments).map((one) => [one.symbol, new YahooMarket(one, seed, options.holes ?? 0.02)])
    )
    let faults: YahooFaults = { ...noFaults, ...options.faults }
    let stopped = options.now ?? null
    const now = (): EpochMillis => stopped ?? Math.floor(clock.currentTimeMillisUnsafe())
    const replies: Array<YahooReply> = []
    const attempts = new Map<string, number>()

    const send = (response: ServerResponse, { body, status, type }: Answer, cut: Trouble | null) => {
      const bytes = Buffer.from(body)
      const throttled = status === 429 || body.startsWith("Too Many")
      const headers: Record<string, string | number> = {
        "content-type": `${type};charset=utf-8`,
        "content-length": bytes.length,
        ...(throttled && faults.retryAfter !== null ? { "retry-after": faults.retryAfter } : {})
      }
      response.writeHead(status, headers)
      if (cut === null) {
        response.end(bytes)
        return
      }
      response.write(bytes.subarray(0, bytes.length >> 1), () => {
        if (cut === "truncated") response.destroy()
      })
    }

    const answer = (request: YahooRequest): { readonly answer: Answer; readonly why: YahooReply["trouble"] } => {
      const market = markets.get(request.symbol)
      if (market === undefined) return { answer: refusals.delisted, why: "unknown" }
      const limit = limitOf(request.query, request.at)
      if (limit !== null) return { answer: limit, why: "limit" }
      const { period1, period2 } = request.query
      if (period2 * 1000 <= market.instrument.listedAt) {
        const words = `Data doesn't exist for startDate = ${period1}, endDate = ${period2}`
        return { answer: refused(400, "Bad Request", words), why: null }
      }
      const body = renderChart(market, request.query, request.at, faults)
      return { answer: { status: 200, type: "application/json", body }, why: null }
    }

    const handle = (incoming: IncomingMessage, response: ServerResponse) => {
      const url = incoming.url ?? ""
      const asked = new URL(url, "http://yahoo.test")
      const symbol = decodeURIComponent(path.exec(asked.pathname)?.[1] ?? "")
      const attempt = (attempts.get(url) ?? 0) + 1
      attempts.set(url, attempt)
      const request: YahooRequest = {
        url,
        symbol,
        query: queryOf(asked.searchParams),
        at: now(),
        attempt,
        cookie: incoming.headers.cookie ?? null,
        userAgent: incoming.headers["user-agent"] ?? null
      }
      const trouble = options.trouble?.(request) ?? troubleOf(faults, seed, url, attempt)
      const done = (status: number, bytes: number, why: YahooReply["trouble"]) =>
        replies.push({ ...request, status, bytes, trouble: why })
      if (trouble === "dropped") {
        done(0, 0, trouble)
        incoming.socket.destroy()
        return
      }
      if (trouble !== null && isRefusal(trouble)) {
        const said = refusals[trouble]
        done(said.status, said.body.length, trouble)
        send(response, said, null)
        return
      }
      const { answer: whole, why } = answer(request)
      done(whole.status, whole.body.length, trouble ?? why)
      send(response, whole, trouble)
    }

    const server = createServer((incoming, response) => {
      const [least, most] = faults.delay
      const wait = least + chance(seed, "delay", incoming.url ?? "", replies.length) * (most - least)
      if (wait > 0) setTimeout(() => handle(incoming, response), wait)
      else handle(incoming, response)
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(options.port ?? 0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return {
      host: `http://127.0.0.1:${port}`,
      faults: () => faults,
      setFaults: (changed) => {
        faults = { ...faults, ...changed }
      },
      setClock: (instant) => {
        stopped = instant
      },
      now,
      log: () => replies,
      clearLog: () => {
        replies.length = 0
      },
      expected: (series, range, at) => {
        const market = markets.get(series.symbol)
        return market === undefined ? [] : expectedBars(market, series, range, at ?? now())
      }
    }
  })
