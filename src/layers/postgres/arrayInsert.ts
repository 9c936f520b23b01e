/**
 * Inserts by arrays of rows that meet no others. A column is an array only where its rows differ in a way that cannot be said
 * shorter, since much of what an insert costs is bytes on their way to the server: values that no row has are left out, numbers that
 * follow each other are counted, and what all rows agree on is said once.
 */
import { int8, int8s, type SqlParameter } from "./values.ts"

export interface InsertColumn {
  readonly name: string
  readonly parameters: ReadonlyArray<SqlParameter>
  /** What gives a value for each row, from the names of the parameters. */
  readonly rows: (...names: ReadonlyArray<string>) => string
}

/** The same in all rows; `parameter` is one value. */
export const same = (name: string, parameter: SqlParameter): InsertColumn => ({
  name,
  parameters: [parameter],
  rows: (value) => String(value)
})

/** A value for each row, of an array of `type`. */
export const each = (name: string, type: string, parameter: SqlParameter): InsertColumn => ({
  name,
  parameters: [parameter],
  rows: (all) => `unnest(${all}::${type}[])`
})

/** Nothing where no row has a value. */
export const eachIfAny = <A>(
  name: string,
  type: string,
  values: ReadonlyArray<A | null>,
  array: (values: ReadonlyArray<A | null>) => SqlParameter
): ReadonlyArray<InsertColumn> => (values.every((value) => value === null) ? [] : [each(name, type, array(values))])

/** Whole numbers, of which each is often the one before it and one. */
export const counted = (name: string, values: ReadonlyArray<number>): InsertColumn => {
  const first = values[0] ?? 0
  return values.every((value, index) => value === first + index)
    ? {
        name,
        parameters: [int8(first), int8(first + values.length - 1)],
        rows: (from, to) => `generate_series(${from}::int8, ${to}::int8)`
      }
    : each(name, "int8", int8s(values))
}

/** The statement, and its parameters in their order. At least one column has a value for each row. */
export const arrayInsert = (table: string, columns: ReadonlyArray<InsertColumn>) => {
  const parameters: Array<SqlParameter> = []
  const rows = columns.map((column) =>
    column.rows(...column.parameters.map((parameter) => `$${parameters.push(parameter)}`))
  )
  const names = columns.map(({ name }) => name).join(", ")
  return { statement: `insert into ${table} (${names}) select ${rows.join(", ")}`, parameters }
}
