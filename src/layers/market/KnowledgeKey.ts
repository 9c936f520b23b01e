/**
 * The order of knowledge. Which of two answers is the later is a matter of when they were fetched, never of when they were
 * committed; ids break ties, and a newer reading of the same bytes comes after an older one.
 */
export interface KnowledgeKey {
  readonly fetchedAt: number
  readonly response: number
  readonly decoderVersion: number
}

export const compare = (a: KnowledgeKey, b: KnowledgeKey): number =>
  a.fetchedAt - b.fetchedAt || a.response - b.response || a.decoderVersion - b.decoderVersion
