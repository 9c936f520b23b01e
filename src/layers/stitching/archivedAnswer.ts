import { Effect } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { ArchivedAnswer } from "./project.ts"

/** An answer as the archive has it; null when it does not say what it was asked for, or has no bytes. */
export const archivedAnswer = Effect.fnUntraced(function* (archive: ProvenanceStore["Service"], id: ResponseId) {
  const response = yield* archive.response(id)
  const request = yield* archive.request(response.request)
  const range = request.subject?.range
  if (range === undefined || response.sha256 === null) return null
  const payload = yield* archive.open(response.sha256)
  const refusal =
    response.status === "not_found" ? "NotFound" : response.status === "not_entitled" ? "NotEntitled" : null
  return { response, payload, range, request, refusal } satisfies ArchivedAnswer
})
