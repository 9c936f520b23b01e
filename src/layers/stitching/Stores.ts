import type { MarketStore } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"

/** The log and its projection. */
export interface Stores {
  readonly market: MarketStore["Service"]
  readonly archive: ProvenanceStore["Service"]
}
