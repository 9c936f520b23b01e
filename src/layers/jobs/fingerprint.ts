import { createHash } from "node:crypto"
import { Result } from "effect"
import { canonicalJson } from "../../domain/CanonicalJson.ts"
import type { JobSpec } from "../../domain/Job.ts"

/** What two pieces of work have in common that are the same: 16 hex digits. */
export const fingerprint = ({ payload, type }: Pick<JobSpec, "type" | "payload">): string =>
  createHash("sha256")
    .update(Result.getOrElse(canonicalJson({ type, payload }), () => ""))
    .digest("hex")
    .slice(0, 16)
