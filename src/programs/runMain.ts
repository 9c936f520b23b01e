/**
 * Runs the command line as the process. The first SIGINT or SIGTERM interrupts the command, which commits what it has and
 * closes its sessions; a command that waits for a signal (`untilSignal`) gets it instead, and ends by itself. The second ends
 * the process at once. Exit codes: what the error says (`Runtime.errorExitCode`), 130 or 143 after a signal that interrupted,
 * 1 for any other failure.
 */
import { Cause, Effect, Exit, Runtime } from "effect"

const codes = { SIGINT: 130, SIGTERM: 143 } as const
export type Signal = keyof typeof codes

let received: Signal | null = null
let waiting: ((signal: Signal) => void) | null = null

/** Done with the first signal, which then interrupts nothing. One command waits for it at a time: the process has one. */
export const untilSignal: Effect.Effect<Signal> = Effect.callback((resume) => {
  if (received !== null) return resume(Effect.succeed(received))
  waiting = (signal) => resume(Effect.succeed(signal))
  return Effect.sync(() => {
    waiting = null
  })
})

export const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  const listener = (signal: Signal) => () => {
    if (received !== null) process.exit(codes[signal])
    received = signal
    if (waiting === null) fiber.interruptUnsafe(fiber.id)
    else waiting(signal)
  }
  const onInterrupt = listener("SIGINT")
  const onTerminate = listener("SIGTERM")
  process.on("SIGINT", onInterrupt)
  process.on("SIGTERM", onTerminate)

  fiber.addObserver((exit) => {
    const interrupted = Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)
    if (received !== null && interrupted) process.exit(codes[received])
    teardown(exit, (code) => process.exit(code))
  })
})
