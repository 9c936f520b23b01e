/** Where `serve` listens: flag before environment before tapestry.yaml before default, each with where it came from. */
import { Effect, Option } from "effect"
import * as ListenAddress from "../../layers/config/ListenAddress.ts"
import { UsageError } from "../failure/UsageError.ts"
import { first, type Origin, type Settings, type Sourced, variable } from "../Settings.ts"

export interface ServeSettings {
  /** Null: off. */
  readonly http: Sourced<ListenAddress.ListenAddress | null>
  readonly tcp: Sourced<ListenAddress.ListenAddress | null>
  readonly allowedHosts: Sourced<ReadonlyArray<string>>
  readonly allowedOrigins: Sourced<ReadonlyArray<string>>
}

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
  return {
    http: yield* address("http", "TAPESTRY_HTTP"),
    tcp: yield* address("tcp", "TAPESTRY_TCP"),
    allowedHosts: { value: config.serve.allowedHosts, origin: fromFile("allowedHosts") },
    allowedOrigins: { value: config.serve.allowedOrigins, origin: fromFile("allowedOrigins") }
  } satisfies ServeSettings
})
