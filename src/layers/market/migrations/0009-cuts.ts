import type { SqliteMigration } from "../../sqlite/migrate.ts"

/** How often retention has dropped rows of a generation, and the highest instant before which it did: see ../seriesMark.ts. */
export const cuts: SqliteMigration = {
  id: 9,
  name: "cuts",
  statements: [
    "alter table generations add column cuts integer not null default 0",
    "alter table generations add column cut_before integer"
  ]
}
