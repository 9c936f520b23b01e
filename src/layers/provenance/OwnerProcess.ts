/**
 * Which process a session belongs to. A process id alone is not enough, because ids are used again: the start time from
 * /proc (clock ticks since boot, with the boot's id) tells a successor from the original. Where there is no /proc, only the
 * process id counts and `start` is empty.
 */
import { Effect, FileSystem } from "effect"

export interface OwnerProcess {
  readonly pid: number
  readonly start: string
}

const bootId = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString("/proc/sys/kernel/random/boot_id").pipe(
    Effect.map((text) => text.trim()),
    Effect.orElseSucceed(() => "")
  )
})

/** Field 22 of /proc/<pid>/stat; null when there is no such process there. The name in field 2 may hold spaces and brackets. */
const startTicks = Effect.fnUntraced(function* (pid: number) {
  const fs = yield* FileSystem.FileSystem
  const stat = yield* fs.readFileString(`/proc/${pid}/stat`).pipe(Effect.orElseSucceed(() => ""))
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null
})

const startOf = Effect.fnUntraced(function* (pid: number) {
  const ticks = yield* startTicks(pid)
  return ticks === null ? "" : `${ticks}@${yield* bootId}`
})

export const current = Effect.map(startOf(process.pid), (start): OwnerProcess => ({ pid: process.pid, start }))

/** Signal 0 asks only whether the process exists; EPERM says that it does and belongs to somebody else. */
const answersSignal = (pid: number) =>
  Effect.try({
    try: () => process.kill(pid, 0),
    catch: (cause) => cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }).pipe(Effect.catch((exists) => Effect.succeed(exists)))

export const isAlive = Effect.fnUntraced(function* (owner: OwnerProcess) {
  if (!(yield* answersSignal(owner.pid))) return false
  const start = yield* startOf(owner.pid)
  return start === "" || owner.start === "" || start === owner.start
})
