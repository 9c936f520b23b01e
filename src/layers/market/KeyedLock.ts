import { Effect, Semaphore } from "effect"

/**
 * One holder per key, first come first served; keys that nobody holds or waits for take no memory. Commits to a series and
 * the publishing of its generations exclude each other with it, over more than one transaction; the writer's own semaphore
 * is only ever taken inside.
 */
export interface KeyedLock {
  readonly withLock: (key: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Several at once, taken in one order by everybody who takes several. */
  readonly withLocks: (
    keys: ReadonlyArray<string>
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const make = (): KeyedLock => {
  const locks = new Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>()
  const acquire = (key: string) =>
    Effect.sync(() => {
      const lock = locks.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
      locks.set(key, lock)
      lock.users++
      return lock
    })
  const withLock: KeyedLock["withLock"] = (key) => (effect) =>
    Effect.acquireUseRelease(
      acquire(key),
      (lock) => lock.semaphore.withPermit(effect),
      (lock) =>
        Effect.sync(() => {
          lock.users--
          if (lock.users === 0) locks.delete(key)
        })
    )
  const withLocks: KeyedLock["withLocks"] = (keys) => (effect) =>
    [...new Set(keys)].sort().reduceRight((inner, key) => withLock(key)(inner), effect)
  return { withLock, withLocks }
}
