/** Where `serve` listens, and what it allows: flag before environment before tapestry.yaml before default, each with where it came from. */
import { Effect, Option } from "effect"
import { type FeedLimits, heartbeatBounds, mostPerSecond, mostQueued } from "../../layers/config/FeedLimits.ts"
import * as ListenAddress from "../../layers/config/ListenAddress.ts"
import { UsageError } from "../failure/UsageError.ts"
import { first, type Origin, type Settings, type Sourced, variable } from "../Settings.ts"

export interface ServeSettings {
  /** Null: off. */
  readonly http: Sourced<ListenAddress.ListenAddress | null>
  readonly tcp: Sourced<ListenAddress.ListenAddress | null>
  readonly allowedHosts: Sourced<ReadonlyArray<string>>
  readonly allowedOrigins: Sourced<ReadonlyArray<string>>
  readonly wsMaxQueueSize: Sourced<number>
  readonly wsMaxMessagesPerSecond: Sourced<number>
  /** Milliseconds. */
  readonly wsHeartbeatInterval: Sourced<number>
}

/** What holds for clients of JSON feeds. */
export const feedLimits = (settings: ServeSettings): FeedLimits => ({
  maxQueueSize: settings.wsMaxQueueSize.value,
  maxMessagesPerSecond: settings.wsMaxMessagesPerSecond.value,
  heartbeatInterval: settings.wsHeartbeatInterval.value
})

export interface ServeFlags {
  readonly http: Option.Option<string>
  readonly tcp: Option.Option<string>
}

export const noFlags: ServeFlags = { http: Option.none(), tcp: Option.none() }

const parsed = Effect.fnUntraced(function* (written: string, text: Option.Option<string>) {
  if (Option.isNone(text)) return Option.none<ListenAddress.ListenAddress | null>()
  const address = ListenAddress.parse(text.value.trim())
  if (Option.isSome(address)) return address
  const given = `${written}${text.value}`
  return yield* new UsageError({ message: `${given}: expected ${ListenAddress.expected}` })
})

/** A whole number of the environment. */
const numberOf = Effect.fnUntraced(function* (name: string, least: number, most: number, expected: string) {
  const text = yield* variable(name)
  if (Option.isNone(text)) return Option.none<number>()
  const value = Number(text.value.trim())
  return /^\d{1,9}$/.test(text.value.trim()) && value >= least && value <= most
    ? Option.some(value)
    : yield* new UsageError({ message: `${name}=${text.value}: expected ${expected}` })
})

const queueSize = numberOf("WS_MAX_QUEUE_SIZE", 1, mostQueued, `a number of messages from 1 to ${mostQueued}`)
const perSecond = numberOf(
  "WS_MAX_MESSAGES_PER_SECOND",
  1,
  mostPerSecond,
  `messages a second, from 1 to ${mostPerSecond}`
)
const heartbeat = Effect.map(
  numberOf(
    "WS_HEARTBEAT_INTERVAL",
    heartbeatBounds.least / 1_000,
    heartbeatBounds.most / 1_000,
    `seconds, from ${heartbeatBounds.least / 1_000} to ${heartbeatBounds.most / 1_000}`
  ),
  Option.map((seconds) => seconds * 1_000)
)

export const serveSettings = Effect.fnUntraced(function* ({ config }: Settings, flags: ServeFlags) {
  const fromFile = (key: string): Origin => (config.keys.has(`serve.${key}`) ? "file" : "default")
  const address = Effect.fnUntraced(function* (key: "http" | "tcp", name: string) {
    return first(
      [
        ["flag", yield* parsed(`--${key} `, flags[key])],
        ["environment", yield* parsed(`${name}=`, yield* variable(name))]
      ],
      { value: config.serve[key], origin: fromFile(key) }
    )
  })
  const { feeds } = config.serve
  const limit = (key: string, given: Option.Option<number>, value: number) =>
    first([["environment", given]], { value, origin: fromFile(key) })
  return {
    http: yield* address("http", "TAPESTRY_HTTP"),
    tcp: yield* address("tcp", "TAPESTRY_TCP"),
    allowedHosts: { value: config.serve.allowedHosts, origin: fromFile("allowedHosts") },
    allowedOrigins: { value: config.serve.allowedOrigins, origin: fromFile("allowedOrigins") },
    wsMaxQueueSize: limit("wsMaxQueueSize", yield* queueSize, feeds.maxQueueSize),
    wsMaxMessagesPerSecond: limit("wsMaxMessagesPerSecond", yield* perSecond, feeds.maxMessagesPerSecond),
    wsHeartbeatInterval: limit("wsHeartbeatInterval", yield* heartbeat, feeds.heartbeatInterval)
  } satisfies ServeSettings
})
