import { Effect, Option, Stream } from "effect"
import type { Response } from "../../domain/Response.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { VendorError, VendorRequest } from "../../services/Adapter.ts"
import type { IngestSession, IngestSessionError } from "../../services/IngestSession.ts"
import type { HistoryPage, StreamHistory } from "../../services/StreamCapability.ts"

/** A page and the archived answer that it was read from. */
export interface ArchivedPage {
  readonly page: HistoryPage
  readonly response: Response
}

/**
 * The pages of a range of history, one after another, from the archive where it has them. Fails where one cannot be had; what came before
 * it stays. `first` is the request of the range.
 */
export const historyPages = (
  ingest: IngestSession["Service"],
  vendor: string,
  history: Extract<StreamHistory, { readonly _tag: "requests" }>,
  range: TimeRange,
  first: VendorRequest,
  priority: number
): Stream.Stream<ArchivedPage, IngestSessionError | VendorError> =>
  Stream.unwrap(
    Effect.map(ingest.open({ source: vendor, mode: "stream" }), (session) =>
      Stream.paginate(first, (request: VendorRequest) =>
        Effect.gen(function* () {
          const { payload, response } = yield* session.fetch(request, {
            cacheMode: { _tag: "default", ttl: null },
            priority
          })
          const page = yield* history.decode(payload, request, range)
          const next = page.next === null ? Option.none<VendorRequest>() : Option.some(page.next)
          return [[{ page, response }], next] as const
        })
      )
    )
  )
