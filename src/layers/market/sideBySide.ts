/** What two stores say of a series, side by side, in pages of both: what one has that the other has not. */
import { Effect } from "effect"
import { allTime } from "../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"

const pageRows = 4_000

/** What is read of one store, in ascending order of stamps, from one on. */
export type Read<A> = (from: number, limit: number) => Effect.Effect<ReadonlyArray<A>, MarketStoreError>

/** What two stores have that the other has not, of one stamp: put side by side in the order in which they come. */
export type Tell<A> = (stored: A | null, rebuilt: A | null) => void

/** Of nanoseconds JSON knows nothing. */
export const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner))

export const tellStamp = <A>(
  stored: ReadonlyArray<A>,
  rebuilt: ReadonlyArray<A>,
  identity: (value: A) => unknown,
  tell: Tell<A>
): void => {
  const there = new Set(rebuilt.map((value) => textOf(identity(value))))
  const here = new Set(stored.map((value) => textOf(identity(value))))
  const gone = stored.filter((value) => !there.has(textOf(identity(value))))
  const come = rebuilt.filter((value) => !here.has(textOf(identity(value))))
  for (let at = 0; at < Math.max(gone.length, come.length); at++) tell(gone[at] ?? null, come[at] ?? null)
}

/** Walks both in windows that hold whole stamps only. */
export const walk = Effect.fnUntraced(function* <A>(
  stored: Read<A>,
  rebuilt: Read<A>,
  stampOf: (value: A) => number,
  identity: (value: A) => unknown,
  tell: Tell<A>
) {
  let from = allTime.start
  let limit = pageRows
  for (;;) {
    const [a, b] = [yield* stored(from, limit), yield* rebuilt(from, limit)]
    const lastOf = (page: ReadonlyArray<A>) => {
      const last = page.length < limit ? undefined : page[page.length - 1]
      return last === undefined ? allTime.end : stampOf(last)
    }
    const end = Math.min(lastOf(a), lastOf(b))
    if (end <= from) {
      limit *= 4
      continue
    }
    const byStamp = new Map<number, { readonly a: Array<A>; readonly b: Array<A> }>()
    const at = (ts: number) => {
      const found = byStamp.get(ts) ?? { a: [], b: [] }
      byStamp.set(ts, found)
      return found
    }
    for (const value of a) if (stampOf(value) < end) at(stampOf(value)).a.push(value)
    for (const value of b) if (stampOf(value) < end) at(stampOf(value)).b.push(value)
    for (const [, both] of [...byStamp].sort(([x], [y]) => x - y)) tellStamp(both.a, both.b, identity, tell)
    if (end === allTime.end) return
    from = end
    limit = pageRows
    yield* Effect.yieldNow
  }
})
