import { Schema } from "effect"
import { TimeRange } from "../TimeRange.ts"
import { StreamKey } from "./StreamKey.ts"

/** The type of jobs that have the rows stored that a live stream left out; the payload is a {@link StreamRepair}. */
export const streamRepairType = "stream-repair"

export const StreamRepair = Schema.Struct({ stream: StreamKey, range: TimeRange })
export interface StreamRepair extends Schema.Schema.Type<typeof StreamRepair> {}
