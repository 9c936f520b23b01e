import type { PostgresMigration } from "../../../postgres/migrate.ts"
import { grantViews, tenantViews } from "./tenantViews.ts"

/** As in SQLite (../../migrations/0010-api-config.ts). Values go with their tenant. */
export const apiConfig: PostgresMigration = {
  id: 6,
  name: "api_config",
  statements: [
    `create table tapestry_base.api_config (
      version int8 not null,
      updated_at int8 not null,
      tenant uuid not null references tapestry_base.tenants (id) on delete cascade,
      key text collate "C" not null,
      value text not null,
      description text,
      primary key (tenant, key)
    )`,
    ...tenantViews("api_config"),
    grantViews(["api_config"], "select, insert, update, delete")
  ]
}
