import { AdminRpcs } from "./AdminRpcs.ts"
import { ArchiveRpcs } from "./ArchiveRpcs.ts"
import { Border } from "./Border.ts"
import { CalendarRpcs } from "./CalendarRpcs.ts"
import { ContractRpcs } from "./ContractRpcs.ts"
import { ImportRpcs } from "./ImportRpcs.ts"
import { JobRpcs } from "./JobRpcs.ts"
import { OrderRpcs } from "./OrderRpcs.ts"
import { PreferredRpcs } from "./PreferredRpcs.ts"
import { QuotaRpcs } from "./QuotaRpcs.ts"
import { ReconcileRpcs } from "./ReconcileRpcs.ts"
import { SeriesRpcs } from "./SeriesRpcs.ts"
import { StoreRpcs } from "./StoreRpcs.ts"
import { StreamRpcs } from "./StreamRpcs.ts"
import { SystemRpcs } from "./SystemRpcs.ts"
import { VendorsRpcs } from "./VendorsRpcs.ts"

/** Every procedure of a Tapestry server. */
export class TapestryRpcs extends SystemRpcs.merge(
  VendorsRpcs,
  SeriesRpcs,
  ArchiveRpcs,
  QuotaRpcs,
  ReconcileRpcs,
  PreferredRpcs,
  CalendarRpcs,
  ImportRpcs,
  JobRpcs,
  StoreRpcs,
  StreamRpcs,
  ContractRpcs,
  OrderRpcs,
  AdminRpcs
).middleware(Border) {}
