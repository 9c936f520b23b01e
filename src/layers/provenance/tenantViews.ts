/**
 * What a tenant sees of the archive. On the connections of a store the names of the tables that have a tenant are views of the tenant's
 * rows (of the schema `temp`, which goes before `main`), so that no statement can forget to ask whose they are. What writes,
 * and what has to look at everybody's rows (whether bytes are still anybody's, sums over the archive), says `main.` and means the tables;
 * writing through a view is refused by SQLite. Payloads and identities belong to nobody: they are reached through a row of one's own.
 */
import type { SqliteDatabase } from "../sqlite/SqliteDatabase.ts"

const tables = ["sessions", "requests", "responses", "operations"]

/** Once, when the tables are there. A name holds no quote. */
export const asTenant = ({ onConnections, tenant }: SqliteDatabase) =>
  onConnections(
    "tenant",
    tables
      .map((table) => `create temp view ${table} as select * from main.${table} where tenant = '${tenant}';`)
      .join("")
  )
