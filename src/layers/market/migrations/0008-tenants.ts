import type { SqliteMigration } from "../../sqlite/migrate.ts"

/** `tenants`: whose rows may be here; other tables name a tenant by its name, which never changes. */
export const tenants: SqliteMigration = {
  id: 8,
  name: "tenants",
  statements: [
    `create table tenants (
      name text primary key,
      id text not null unique,
      created_at integer not null
    ) strict, without rowid`,
    "insert into tenants (name, id, created_at) values ('default', '00000000-0000-0000-0000-000000000001', 0)"
  ]
}
