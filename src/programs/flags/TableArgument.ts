import { Argument } from "effect/cli"
import { chunkedTables } from "../../layers/market/postgres/timescale/chunkedTables.ts"

/** The tables that TimescaleDB cuts into chunks. */
export const tableArgument = Argument.Literals(
  "table",
  chunkedTables.map(({ table }) => table)
).pipe(Argument.withDescription("A table of rows, or of revisions"))
