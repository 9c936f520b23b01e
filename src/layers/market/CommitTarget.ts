import type { KnowledgeKey } from "./KnowledgeKey.ts"

/** Where a commit's rows go and whose they are; `applied` is the id of its row in the table `applied`. */
export interface CommitTarget {
  readonly generation: number
  readonly applied: number
  readonly key: KnowledgeKey
  readonly keepsNulls: boolean
}

/** What has been done so far; `revisions` counts those that readers see, `removed` is for withdrawn rows. */
export interface Tally {
  inserted: number
  updated: number
  unchanged: number
  withdrawn: number
  revisions: number
}

export const emptyTally = (): Tally => ({ inserted: 0, updated: 0, unchanged: 0, withdrawn: 0, revisions: 0 })
