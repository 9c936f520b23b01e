import { unlimited, type VendorLimits } from "../../../domain/VendorLimits.ts"
import type { IbkrVendor } from "./IbkrVendor.ts"

export const ibkrLimits = (vendor: IbkrVendor): VendorLimits => ({
  ...unlimited,
  concurrency: vendor.concurrency,
  maxInFlight: vendor.maxInFlight,
  calendar: vendor.calendar
})
