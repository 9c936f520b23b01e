/** The tables of records in PostgreSQL: their statements by kind, and how columns of rows become arrays. */
import type { Column } from "../../../../domain/records/Column.ts"
import { type RecordKind, recordKinds } from "../../../../domain/records/RecordKind.ts"
import { arrayInsert, counted, each, eachIfAny, same } from "../../../postgres/arrayInsert.ts"
import type { Query } from "../../../postgres/PostgresDatabase.ts"
import { float8s, instants, int4s, int8, int8s, type SqlParameter, texts } from "../../../postgres/values.ts"
import { byKind, type Cells, columnName, type RowKey, tableOf } from "../../records/recordCells.ts"
import { tenant } from "../seriesRows.ts"

/** The type of a column. JSON is kept as the text that it was written with. */
const typeOf = ({ type }: Column): "float8" | "int8" | "text" =>
  type === "real" ? "float8" : type === "integer" ? "int8" : "text"

/** A row at its place, as it is written. */
export interface PlacedRow extends RowKey {
  readonly cells: Cells
  readonly applied: number
  readonly position: number
}

/** ts, ns, identity from $2 on: how {@link keyArrays} stand in a statement whose $1 is the generation. */
const keys = "unnest($2::timestamptz[], $3::int4[], $4::text[]) k(ts, ns, identity)"

interface Statements {
  /** Cells of a row, as they stand in a statement; `alias` qualifies them. */
  readonly cells: (alias: string) => string
  /** As many nulls of the same types. */
  readonly noCells: string
  /** Takes the tenant, the generation and {@link rowArrays}: rows that may replace others. */
  readonly upsert: string
  /** These three take the generation and {@link keyArrays}; `stored` gives the place in them, cells, applied, position. */
  readonly stored: string
  readonly remove: string
  readonly any: string
  /** Where rows stand from $2 to $3, $4 at most; and the same with where some ever stood. */
  readonly keysNow: string
  readonly keysEver: string
}

const keysIn = (table: string) => `(select ts, ns, identity from tapestry_app.${table}
  where generation = $1 and ts >= $2 and ts < $3 group by ts, ns, identity order by ts, ns, identity limit $4)`

const statementsOf = (kind: RecordKind): Statements => {
  const table = tableOf[kind]
  const { columns } = recordKinds[kind]
  const names = columns.map((column) => `"${columnName(column)}"`)
  const all = ["ts", "ns", "identity", ...names, "applied", "position"]
  const types = ["timestamptz", "int4", "text", ...columns.map(typeOf), "int8", "int8"]
  const arrays = types.map((type, index) => `$${index + 3}::${type}[]`)
  const cells = (alias: string) => names.map((name) => `${alias}.${name}`).join(", ")
  const insert = `insert into tapestry_app.${table} (tenant, generation, ${all.join(", ")})
    select $1, $2, r.* from unnest(${arrays.join(", ")}) r`
  const replaced = [...names, "applied", "position"].map((name) => `${name} = excluded.${name}`)
  return {
    cells,
    noCells: columns.map((column) => `null::${typeOf(column)}`).join(", "),
    upsert: `${insert} on conflict (generation, ts, ns, identity) do update set ${replaced.join(", ")}`,
    stored: `select k.at, r.* from unnest($2::timestamptz[], $3::int4[], $4::text[]) with ordinality k(ts, ns, identity, at)
      cross join lateral (select ${cells("t")}, t.applied, t.position from tapestry_app.${table} t
      where t.generation = $1 and t.ts = k.ts and t.ns = k.ns and t.identity = k.identity limit 1) r`,
    remove: `delete from tapestry_app.${table} r using ${keys}
      where r.generation = $1 and r.ts = k.ts and r.ns = k.ns and r.identity = k.identity`,
    any: `select 1 from tapestry_app.${table} where generation = $1 and ts >= $2 and ts < $3 limit 1`,
    keysNow: `${keysIn(table)}`,
    keysEver: `select * from (${keysIn(table)} union ${keysIn("record_revisions")}) k order by ts, ns, identity limit $4`
  }
}

export const statements = byKind(statementsOf)

/** Of several identities; as `stored`: the place of each, applied, position, cells, kind, superseded by. */
export const selectPast = `select k.at, r.* from unnest($2::timestamptz[], $3::int4[], $4::text[]) with ordinality k(ts, ns, identity, at)
  cross join lateral (select t.applied, t.position, t.cells, t.kind, t.superseded_by from tapestry_app.record_revisions t
  where t.generation = $1 and t.ts = k.ts and t.ns = k.ns and t.identity = k.identity offset 0) r`
export const deletePast = `delete from tapestry_app.record_revisions r using ${keys}
  where r.generation = $1 and r.ts = k.ts and r.ns = k.ns and r.identity = k.identity`
export const upsertPast = `insert into tapestry_app.record_revisions
    (tenant, generation, ts, ns, identity, applied, position, cells, kind, superseded_by)
  select $1, $2, r.* from unnest($3::timestamptz[], $4::int4[], $5::text[], $6::int8[], $7::int8[], $8::text[], $9::int2[], $10::int8[]) r
  on conflict (generation, ts, ns, identity, applied) do update set position = excluded.position, cells = excluded.cells,
    kind = excluded.kind, superseded_by = excluded.superseded_by`

export const keyArrays = (rows: ReadonlyArray<RowKey>): ReadonlyArray<SqlParameter> => [
  instants(rows.map(({ ts }) => ts)),
  int4s(rows.map(({ ns }) => ns)),
  texts(rows.map(({ identity }) => identity))
]

/** Rows of one answer where there are none. The parameters are made at once, the statement runs when it is asked to. */
export const insertRecords = (
  kind: RecordKind,
  generation: number,
  applied: number,
  rows: ReadonlyArray<Omit<PlacedRow, "applied">>
) => {
  const { parameters, statement } = arrayInsert(`tapestry_app.${tableOf[kind]}`, [
    same("tenant", tenant),
    same("generation", int8(generation)),
    same("applied", int8(applied)),
    each("ts", "timestamptz", instants(rows.map(({ ts }) => ts))),
    each("ns", "int4", int4s(rows.map(({ ns }) => ns))),
    each("identity", "text", texts(rows.map(({ identity }) => identity))),
    ...recordKinds[kind].columns.flatMap((column, index) =>
      eachIfAny(
        `"${columnName(column)}"`,
        typeOf(column),
        rows.map(({ cells }) => cells[index] ?? null),
        (cells) => columnOf(column, cells)
      )
    ),
    counted(
      "position",
      rows.map(({ position }) => position)
    )
  ])
  return (query: Query) => query(statement, parameters)
}

/** Cells of one column. A zero has no sign in the embedded store, so it has none here. */
const columnOf = (column: Column, cells: ReadonlyArray<number | string | null>): SqlParameter => {
  switch (typeOf(column)) {
    case "float8":
      return float8s(cells.map((cell) => (cell === 0 ? 0 : cell)))
    case "int8":
      return int8s(cells)
    case "text":
      return texts(cells)
  }
}

export const rowArrays = (kind: RecordKind, rows: ReadonlyArray<PlacedRow>): ReadonlyArray<SqlParameter> => [
  ...keyArrays(rows),
  ...recordKinds[kind].columns.map((column, index) =>
    columnOf(
      column,
      rows.map(({ cells }) => cells[index] ?? null)
    )
  ),
  int8s(rows.map(({ applied }) => applied)),
  int8s(rows.map(({ position }) => position))
]
