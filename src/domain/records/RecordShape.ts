import type { Column } from "./Column.ts"

/** What a kind of record has beside its stamp. */
export interface RecordShape<R> {
  /** In the order in which tables and files have them. */
  readonly columns: ReadonlyArray<Column>
  /** What tells a row from the others of its instant; see `identityOf` in RecordKind.ts. */
  readonly identity: (row: R) => string
  /** Why a row cannot be accepted whose cells are each fine, in words that name the field; null when it can. */
  readonly defectOf: (row: R) => string | null
}
