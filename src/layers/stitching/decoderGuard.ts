/** What an archived payload may do to whoever decodes it, as errors: it is larger than may be held, or its decoder throws. */
import { Effect } from "effect"
import { Malformed, VendorError } from "../../services/Adapter.ts"
import type { ArchivedBytes } from "../../services/PayloadDraft.ts"
import { PayloadTooLarge, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"

export const tooLarge = ({ limit, sizeBytes }: Exclude<ArchivedBytes, Uint8Array>): ProvenanceStoreError =>
  new ProvenanceStoreError({ reason: new PayloadTooLarge({ sizeBytes, limit }) })

/** A decoder that throws is as good as bytes that cannot be read: every plan of the series would meet it again. */
export const guarded = <A, E>(vendor: string, decode: () => Effect.Effect<A, E>): Effect.Effect<A, E | VendorError> =>
  Effect.catchDefect(Effect.suspend(decode), (defect) => {
    const reason = new Malformed({ position: null, message: `its decoder failed: ${defect}` })
    return Effect.andThen(
      Effect.logError(`the decoder of ${vendor} failed`, defect),
      Effect.fail(new VendorError({ vendor, reason }))
    )
  })
