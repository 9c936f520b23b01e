import type { CommitResult } from "../../services/MarketStore.ts"

/** What a commit does whose response is applied already. */
export const nothingDone: CommitResult = { inserted: 0, updated: 0, unchanged: 0, withdrawn: 0, alreadyApplied: true }
