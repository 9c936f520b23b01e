/**
 * The pace of snapshots of options: OPTIONS_SEMAPHORE_SIZE, OPTIONS_BASE_DELAY (seconds), OPTIONS_BACKOFF_MULTIPLIER and OPTIONS_MAX_CONTRACTS of the environment
 * before tapestry.yaml before the defaults.
 */
import { Effect, Option } from "effect"
import type { TapestryConfig } from "../layers/config/TapestryConfig.ts"
import { optionsBounds } from "../layers/lookups/OptionsPacing.ts"
import { UsageError } from "./failure/UsageError.ts"
import { first, variable } from "./Settings.ts"

const given = Effect.fnUntraced(function* (name: string, shape: RegExp, least: number, most: number, what: string) {
  const text = yield* variable(name)
  if (Option.isNone(text)) return Option.none<number>()
  const value = Number(text.value.trim())
  return shape.test(text.value.trim()) && value >= least && value <= most
    ? Option.some(value)
    : yield* new UsageError({ message: `${name}=${text.value}: expected ${what} from ${least} to ${most}` })
})

const whole = /^\d{1,9}$/
const decimal = /^\d{0,9}(\.\d{1,9})?$/

export const optionsSettings = Effect.fnUntraced(function* ({ keys, options }: TapestryConfig) {
  const { backoff, concurrency, delay, maxContracts } = optionsBounds
  const size = yield* given("OPTIONS_SEMAPHORE_SIZE", whole, 1, concurrency, "a whole number")
  const pause = yield* given("OPTIONS_BASE_DELAY", decimal, 0, delay / 1_000, "seconds")
  const multiplier = yield* given("OPTIONS_BACKOFF_MULTIPLIER", decimal, 1, backoff, "a number")
  const most = yield* given("OPTIONS_MAX_CONTRACTS", whole, 1, maxContracts, "a whole number")
  const sourced = (key: keyof typeof options, environment: Option.Option<number>) =>
    first([["environment", environment]], {
      value: options[key],
      origin: keys.has(`options.${key}`) ? "file" : "default"
    })
  return {
    concurrency: sourced("concurrency", size),
    baseDelay: sourced(
      "baseDelay",
      Option.map(pause, (seconds) => Math.round(seconds * 1_000))
    ),
    backoffMultiplier: sourced("backoffMultiplier", multiplier),
    maxContracts: sourced("maxContracts", most)
  }
})
