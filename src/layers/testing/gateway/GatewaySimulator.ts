/**
 * A gateway of Interactive Brokers to test against: a TCP server that speaks the socket protocol of TWS (versions 176 to 193) over a market that
 * follows from a seed. What is sent live, what is told of the past and the truth are one tape; any client of the protocol can be
 * pointed at it.
 *
 * Its time is simulated. Stepped (the default), nothing happens until `advance`, and the same seed, requests and steps make the same
 * bytes; what a request is answered at once is sent when it arrives. Faults are given to `inject` and act at once.
 */
import { Duration, Effect, Schema, type Scope } from "effect"
import type { Fault } from "./Faults.ts"
import { Gateway } from "./Gateway.ts"
import {
  type GatewayOptions,
  newestVersion,
  oldestVersion,
  type Settings,
  usualQuotas,
  usualStart
} from "./GatewayOptions.ts"
import { type Door, inject } from "./inject.ts"
import { Listener } from "./Listener.ts"
import { Market } from "./market/Market.ts"
import type { ScenarioStep } from "./scenario.ts"
import { type ClientState, clientState } from "./serve/ClientState.ts"
import { type Truth, type TruthBar, truthBars, truthOf } from "./truth.ts"

export type { Farm, Fault, Malformation } from "./Faults.ts"
export type { GatewayClock, GatewayOptions, Quotas } from "./GatewayOptions.ts"
export type { Recording } from "./market/RecordedTape.ts"
export { parseRecording, RecordingError } from "./recording.ts"
export { parseScenario, ScenarioError, type ScenarioStep } from "./scenario.ts"
export type { ClientState } from "./serve/ClientState.ts"
export type { SubscriptionKind } from "./serve/Subscription.ts"
export type { Truth, TruthBar, TruthQuote, TruthTrade } from "./truth.ts"

/** The simulator cannot listen where it was told to. */
export class GatewayListenError extends Schema.TaggedError<GatewayListenError>()("GatewayListenError", {
  /** `127.0.0.1:4001`. */
  address: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `cannot listen on ${this.address}: ${this.detail}`
  }
}

/** Instants are UTC epoch milliseconds of simulated time. Names are those of the market: `AAPL`, `EUR.USD`, `ESM6`, `SIM0042`. */
export interface GatewaySimulator {
  readonly host: string
  /** Another after `PortChanged`. */
  readonly port: number
  readonly now: () => number
  /** Lets so much simulated time pass, and hands all that is sent in it to the sockets. On a running clock it waits for it. */
  readonly advance: (duration: Duration.Input) => Effect.Effect<void>
  readonly inject: (fault: Fault) => Effect.Effect<void>
  /** Everything that happened to an instrument in [from, to); of an unknown one nothing. */
  readonly truth: (name: string, from: number, to: number) => Truth
  /** Its bars of so many milliseconds, over all hours, that have an instant in [from, to). */
  readonly bars: (name: string, from: number, to: number, millis: number) => ReadonlyArray<TruthBar>
  /** Who is connected, with everything that each has open. */
  readonly clients: () => ReadonlyArray<ClientState>
  /** What the market lists by name, `SIM0000` to `SIM99999` not counted. */
  readonly names: () => ReadonlyArray<string>
}

const settingsOf = (options: GatewayOptions): Settings => ({
  seed: options.seed ?? 1,
  version: Math.max(oldestVersion, Math.min(newestVersion, options.version ?? newestVersion)),
  quotas: { ...usualQuotas, ...options.quotas },
  accounts: options.accounts ?? ["DU1234567"],
  sendBuffer: options.sendBuffer ?? 8 * 1_048_576,
  latency: options.latency ?? 0,
  depthChanges: options.depthChanges ?? "rows"
})

/** Unsent bytes at which stepped time waits for the client, for a moment: a client that does not read must not stop time. */
const muchUnsent = 262_144
const moment = 10

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Starts a gateway; it is closed, with all its connections, when the scope closes. */
export const make: (options?: GatewayOptions) => Effect.Effect<GatewaySimulator, GatewayListenError, Scope.Scope> =
  Effect.fn("GatewaySimulator.make")(function* (options: GatewayOptions = {}) {
    const settings = settingsOf(options)
    const recording = options.replay ?? null
    const first = recording?.times[0]
    const start = options.start ?? (first === undefined ? usualStart : Math.floor(first / 1000) * 1000 - 1000)
    const { activity = 1, clock = "stepped", host = "127.0.0.1", hours = "exchange" } = options
    const market = new Market({ seed: settings.seed, start, hours, activity, recording })
    const speed = clock === "stepped" ? 0 : clock.speed
    const gateway = new Gateway(settings, market, start, speed)
    const listener = yield* Effect.acquireRelease(
      Effect.sync(() => new Listener(gateway, host, options.port ?? 0)),
      (listener) => Effect.promise(() => listener.close())
    )
    yield* Effect.tryPromise({
      try: () => listener.listen(),
      catch: (error) =>
        new GatewayListenError({
          address: `${host}:${options.port ?? 0}`,
          detail: error instanceof Error ? error.message : String(error)
        })
    })

    const step = async (millis: number) => {
      const until = gateway.time.now() + millis
      for (let more = true; more; ) {
        more = gateway.time.runUntil(until, 4)
        gateway.settle()
        const behind = [...gateway.connections].filter(({ outbox }) => outbox.unsent > muchUnsent)
        await Promise.all(behind.map((one) => one.drained(moment)))
        await turn()
      }
      await listener.settled
    }

    const door: Door = { refuse: (forMillis) => listener.refuse(forMillis), move: (told) => listener.move(told) }
    const schedule = ({ atMillis, everyMillis, fault }: ScenarioStep, after: number) => {
      gateway.time.schedule(after + atMillis, () => {
        inject(gateway, fault, door)
        if (everyMillis !== null) schedule({ atMillis: everyMillis, everyMillis, fault }, after + atMillis)
      })
    }
    for (const step of options.scenario ?? []) schedule(step, start)

    return {
      host,
      get port() {
        return listener.port
      },
      now: () => gateway.time.now(),
      advance: (duration) => {
        const millis = Duration.toMillis(Duration.fromInputUnsafe(duration))
        return gateway.time.stepped ? Effect.promise(() => step(millis)) : Effect.sleep(millis / speed)
      },
      inject: (fault) =>
        Effect.promise(async () => {
          inject(gateway, fault, door)
          await listener.settled
        }),
      truth: (name, from, to) => truthOf(market.named(name), from, to),
      bars: (name, from, to, millis) => truthBars(market.named(name), from, to, millis),
      clients: () => [...gateway.connections].map(clientState),
      names: () => market.universe.all.map(({ name }) => name)
    }
  })
