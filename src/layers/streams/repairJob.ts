import { createHash } from "node:crypto"
import type { JobSpec } from "../../domain/Job.ts"
import { canonical, type StreamKey } from "../../domain/streams/StreamKey.ts"
import { streamRepairType } from "../../domain/streams/StreamRepair.ts"
import { iso, type TimeRange } from "../../domain/TimeRange.ts"

/** How long a vendor whose budget is spent, or that is down, is left alone first, in milliseconds. */
const rest = 60_000
const longestKey = 255

/** Pauses between attempts grow, so that these last for days: a gateway may be away over a weekend, and what a gap left out is in its history for longer. */
const attempts = 100

/** As it is, or its beginning and a hash of all of it: what two long ones have in common does not make them one. */
const shortened = (text: string, most: number): string => {
  if (text.length <= most) return text
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 32)
  return `${text.slice(0, most - hash.length - 1)}~${hash}`
}

/** The job that has a range of a stream stored; the same range of the same stream is the same job. */
export const jobOf = (key: StreamKey, range: TimeRange): JobSpec => {
  const when = `${iso(range.start)}/${iso(range.end)}`
  const around = `${streamRepairType}//${when}`
  return {
    key: `${streamRepairType}/${shortened(canonical(key), longestKey - around.length)}/${when}`,
    type: streamRepairType,
    payload: { stream: { ...key, params: { ...key.params } }, range: { ...range } },
    priority: "medium",
    notBefore: range.end + rest,
    maxAttempts: attempts
  }
}
