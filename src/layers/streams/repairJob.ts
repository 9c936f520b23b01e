import type { JobSpec } from "../../domain/Job.ts"
import { canonical, type StreamKey } from "../../domain/streams/StreamKey.ts"
import { streamRepairType } from "../../domain/streams/StreamRepair.ts"
import { iso, type TimeRange } from "../../domain/TimeRange.ts"

/** How long a vendor whose budget is spent, or that is down, is left alone first, in milliseconds. */
const rest = 60_000
const longestKey = 255

/** The job that has a range of a stream stored; the same range of the same stream is the same job. */
export const jobOf = (key: StreamKey, range: TimeRange): JobSpec => {
  const when = `${iso(range.start)}/${iso(range.end)}`
  return {
    key: `stream-repair/${canonical(key).slice(0, longestKey - 15 - when.length)}/${when}`,
    type: streamRepairType,
    payload: { stream: { ...key, params: { ...key.params } }, range: { ...range } },
    priority: "medium",
    notBefore: range.end + rest
  }
}
