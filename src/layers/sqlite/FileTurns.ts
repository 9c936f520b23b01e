/**
 * Whose turn it is at a database file, among the connections of this process.
 *
 * SQLite lets one connection write at a time, and tells the others to come again; within a process that asking would stand in the very
 * event loop in which the one that writes has to go on. So all that open a file here share one semaphore for writing, first come first
 * served, and one for upkeep, which looks at a whole file in many steps. What other processes do is for SQLite's own locks.
 */
import { resolve } from "node:path"
import { Effect, type Scope, Semaphore } from "effect"

export interface FileTurns {
  readonly writing: Semaphore.Semaphore
  readonly upkeep: Semaphore.Semaphore
}

const open = new Map<string, { readonly turns: FileTurns; users: number }>()

const make = (): FileTurns => ({ writing: Semaphore.makeUnsafe(1), upkeep: Semaphore.makeUnsafe(1) })

/** Those of a file, for as long as the scope lives. A database in memory is nobody else's. */
export const of = (filename: string): Effect.Effect<FileTurns, never, Scope.Scope> => {
  if (filename === ":memory:") return Effect.sync(make)
  const key = resolve(filename)
  return Effect.acquireRelease(
    Effect.sync(() => {
      const entry = open.get(key) ?? { turns: make(), users: 0 }
      entry.users += 1
      open.set(key, entry)
      return entry
    }),
    (entry) =>
      Effect.sync(() => {
        entry.users -= 1
        if (entry.users === 0) open.delete(key)
      })
  ).pipe(Effect.map(({ turns }) => turns))
}
