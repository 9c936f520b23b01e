import { Effect } from "effect"
import type { RequestIdentity, RequestSubject } from "../../domain/Request.ts"
import { bareMetadata, type Response, type ResponseMetadata } from "../../domain/Response.ts"
import type { SessionId } from "../../domain/Session.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"

const metadata: ResponseMetadata = { ...bareMetadata, contentType: "application/x-ndjson" }

/** Frames of a recording as an answer of its vendor; durable when it returns. `askedAt`: when the last of them came. */
export const archiveFrames = Effect.fnUntraced(function* (
  archive: ProvenanceStore["Service"],
  session: SessionId,
  identity: RequestIdentity,
  subject: RequestSubject | null,
  askedAt: EpochMillis,
  body: Uint8Array
): Effect.fn.Return<Response, ProvenanceStoreError> {
  const request = yield* archive.openRequest({ session, identity, subject, cacheMode: { _tag: "bypass" } })
  return yield* archive.append({ request, attempt: 1, askedAt, status: "ok", body, metadata, cause: null, waited: 0 })
})
