import { Effect, Option, Stream } from "effect"
import type { Page } from "../../services/ProvenanceStore.ts"
import { chunkRows } from "./chunked.ts"

/** What a client says of a listing: newest first, ids below `before`, at most `limit` of them; all unless it says so. */
export interface Listing {
  readonly before?: number | undefined
  readonly limit?: number | undefined
}

/** A listing page by page, each one a chunk; the next is read when the one before it was taken. */
export const listed = <A extends { readonly id: number }, E>(
  { before, limit }: Listing,
  page: (page: Page) => Effect.Effect<ReadonlyArray<A>, E>
): Stream.Stream<A, E> => {
  const first: Position = { before, left: limit ?? Number.POSITIVE_INFINITY }
  return Stream.paginate(first, ({ before, left }) => {
    const size = Math.min(left, chunkRows)
    return Effect.map(page({ limit: size, ...(before === undefined ? {} : { before }) }), (records) => {
      const last = records.at(-1)
      const rest = left - records.length
      const next: Position | null =
        last === undefined || records.length < size || rest <= 0 ? null : { before: last.id, left: rest }
      return [records, Option.fromNullOr(next)] as const
    })
  })
}

interface Position {
  readonly before: number | undefined
  readonly left: number
}
