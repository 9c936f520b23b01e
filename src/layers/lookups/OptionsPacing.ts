/** `options:` in tapestry.yaml, and OPTIONS_* of the environment above it: how the contracts of a snapshot of options are asked for. */
import { Context, Schema } from "effect"
import { Millis } from "../config/units.ts"

/** The most of each; a vendor's own limits hold beside them. */
export const optionsBounds = { concurrency: 50, delay: 60_000, backoff: 10, maxContracts: 1_000 } as const

const { backoff, concurrency, maxContracts } = optionsBounds

export const OptionsSpec = Schema.Struct({
  concurrency: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: concurrency })).annotate({
      expected: `how many contracts are asked for at once: 1 to ${concurrency}`
    })
  ),
  baseDelay: Schema.optionalKey(Millis),
  backoffMultiplier: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: backoff })).annotate({
      expected: `a number from 1 to ${backoff}`
    })
  ),
  maxContracts: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxContracts })).annotate({
      expected: `a number of contracts from 1 to ${maxContracts}`
    })
  )
})
export interface OptionsSpec extends Schema.Schema.Type<typeof OptionsSpec> {}

export interface OptionsPacingValue {
  /** Contracts asked for at once. */
  readonly concurrency: number
  /** Milliseconds before each of them. */
  readonly baseDelay: number
  /** By how much that grows whenever the vendor finds it too much. */
  readonly backoffMultiplier: number
  /** The most of one snapshot, and how many it has unless fewer are asked for. */
  readonly maxContracts: number
}

export const optionsDefaults: OptionsPacingValue = {
  concurrency: 5,
  baseDelay: 100,
  backoffMultiplier: 1.5,
  maxContracts: 50
}

export const OptionsPacing = Context.Reference<OptionsPacingValue>("tapestry/ContractLookups/OptionsPacing", {
  defaultValue: () => optionsDefaults
})
