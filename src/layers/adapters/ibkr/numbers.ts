/**
 * Numbers as IB writes them, and as the library hands them on. What IB does not know it says in several ways: no text, the largest double, and of
 * sizes, which are decimals there, also the largest and least integers of 32 and 64 bits; IB's own clients take these for nothing, too. -1 is
 * left to the readers: there are prices and changes of minus one.
 */

/** Null: none. */
export const numberOf = (value: number | undefined): number | null =>
  value !== undefined && Math.abs(value) < Number.MAX_VALUE ? value : null

const noSizes: ReadonlySet<number> = new Set([2_147_483_647, 2 ** 63, -(2 ** 63), 2 ** 127])

/** A size, volume or position; null: none. */
export const sizeOf = (value: number | undefined): number | null => {
  const size = numberOf(value)
  return size === null || noSizes.has(size) ? null : size
}

const parsed = (text: string | undefined): number | undefined =>
  text === undefined || text === "" ? undefined : Number(text)

export const numberIn = (text: string | undefined): number | null => numberOf(parsed(text))

export const sizeIn = (text: string | undefined): number | null => sizeOf(parsed(text))
