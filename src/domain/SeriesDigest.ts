import { Effect, Schema } from "effect"

const Part = Schema.Struct({ count: Schema.Int, sha256: Schema.String })

/**
 * What a store says of a series, in a few hashes (64 hex digits). `rows` is over the bars alone, in the form of rowBytes.ts, so that
 * it is also the hash of a file with the same rows; `lineage` over where each of them came from (response, position, when it became
 * known, whether it is final); `revisions` and `coverage` over everything that is told of them; `actions` over the corporate
 * actions that answers about this series have told, and which answer did. The decoder's version is in none:
 * what another version reads alike has not moved.
 */
export const SeriesDigest = Schema.Struct({
  rows: Part,
  lineage: Schema.String,
  revisions: Part,
  coverage: Part,
  // A server of release 0.1 does not tell it.
  actions: Part.pipe(Schema.withDecodingDefaultKey(Effect.succeed({ count: 0, sha256: "" })))
})
export interface SeriesDigest extends Schema.Schema.Type<typeof SeriesDigest> {}

export const sameDigest = (a: SeriesDigest, b: SeriesDigest): boolean =>
  a.rows.sha256 === b.rows.sha256 &&
  a.lineage === b.lineage &&
  a.revisions.sha256 === b.revisions.sha256 &&
  a.coverage.sha256 === b.coverage.sha256 &&
  a.actions.sha256 === b.actions.sha256
