import { Cause, Duration, Effect, Exit } from "effect"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { documentOf } from "../failure/Failure.ts"
import { duration } from "../format/Numbers.ts"
import { settings } from "../Settings.ts"
import { withVendors } from "../withData.ts"
import { failed, ok } from "./Check.ts"

const pingOne = Effect.fnUntraced(function* (vendor: string) {
  const registry = yield* AdapterRegistry
  const exit = yield* Effect.exit(registry.ping(vendor))
  const name = `vendor ${vendor}`
  if (Exit.isFailure(exit)) return failed(name, documentOf(exit.cause).error.message)
  const { ok: there, elapsed, detail } = exit.value
  return there ? ok(name, `${detail} (${duration(Duration.toMillis(elapsed))})`) : failed(name, detail)
})

const pingAll = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  return yield* Effect.forEach(yield* registry.list, pingOne, { concurrency: 8 })
})

/** Whether each vendor answers. */
export const checkVendors = Effect.gen(function* () {
  // What is wrong with the settings is another check's to say.
  if (Exit.isFailure(yield* Effect.exit(settings))) return []
  const exit = yield* Effect.exit(withVendors(pingAll))
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.hasInterrupts(exit.cause)) return yield* Effect.interrupt
  return [failed("vendors", documentOf(exit.cause).error.message)]
})
