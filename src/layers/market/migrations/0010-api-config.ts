import type { SqliteMigration } from "../../sqlite/migrate.ts"

/** `api_config`: values that a tenant keeps with its rows, as JSON. */
export const apiConfig: SqliteMigration = {
  id: 10,
  name: "api_config",
  statements: [
    `create table api_config (
      tenant text not null,
      key text not null,
      value text not null,
      description text,
      version integer not null,
      updated_at integer not null,
      primary key (tenant, key)
    ) strict, without rowid`
  ]
}
