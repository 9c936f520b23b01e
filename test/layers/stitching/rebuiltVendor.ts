import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { between, hour, utc } from "./support.ts"

export const rebuiltRange = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
export const rebuiltAt = utc("2024-03-06T12:00:00Z")

/** All values of the range change an hour after `rebuiltAt`; the same vendor in every process. */
export const rebuiltVendor = () =>
  ModelVendor.make({
    corrections: [{ ...rebuiltRange, at: rebuiltAt + hour }],
    limits: { timeframes: { "1h": { maxSpan: 6 * hour, maxRows: null } } }
  })
