/**
 * Runs the command line as the process. The first SIGINT or SIGTERM interrupts the command, which commits what it has and
 * closes its sessions; the second ends the process at once. Exit codes: what the error says (`Runtime.errorExitCode`), 130 or
 * 143 after a signal, 1 for any other failure.
 */
import { Cause, Exit, Runtime } from "effect"

const codes = { SIGINT: 130, SIGTERM: 143 } as const
type Signal = keyof typeof codes

export const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  let received: Signal | null = null

  const listener = (signal: Signal) => () => {
    if (received !== null) process.exit(codes[signal])
    received = signal
    fiber.interruptUnsafe(fiber.id)
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
