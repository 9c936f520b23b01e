import type { PostgresMigration } from "../../../postgres/migrate.ts"
import { grantViews, tenantViews } from "./tenantViews.ts"

const tables = [
  "series",
  "generations",
  "applied",
  "bars",
  "revisions",
  "echoes",
  "answers",
  "coverage",
  "refusals",
  "action_answers",
  "actions",
  "reconciled_pairs",
  "mismatches",
  "trades",
  "quotes",
  "statistics",
  "fundamentals",
  "news",
  "option_snapshots",
  "signals",
  "record_revisions",
  "record_echoes",
  "jobs",
  "job_runs"
]

/**
 * Base tables in a schema of their own, views that filter on the tenant where they were, and a role that may use the views and
 * nothing else. Rows stay where they are: only names change.
 *
 * Generations are numbered over all tenants, so a number alone proves nothing: each answer that is applied has to be of the tenant
 * of its generation, and a series of a tenant that there is. Tables of rows have no such check: it would be one for every row.
 */
export const tenants: PostgresMigration = {
  id: 4,
  name: "tenants",
  statements: [
    "create schema tapestry_base",
    "create schema tapestry_app",
    ...tables.map((table) => `alter table tapestry.${table} set schema tapestry_base`),
    "alter function tapestry.job_has_ended() set schema tapestry_base",
    `create table tapestry_base.tenants (
      id uuid primary key,
      created_at int8 not null,
      name text collate "C" not null unique check (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$')
    )`,
    "insert into tapestry_base.tenants (id, created_at, name) values ('00000000-0000-0000-0000-000000000001', 0, 'default')",
    "alter table tapestry_base.series add foreign key (tenant) references tapestry_base.tenants (id)",
    "alter table tapestry_base.generations add unique (id, tenant)",
    "alter table tapestry_base.applied add foreign key (generation, tenant) references tapestry_base.generations (id, tenant)",
    ...tables.flatMap((table) => tenantViews(table)),
    ...tenantViews("tenants", "id"),
    // Whoever works for a tenant knows its name; whose names there are besides is not told.
    `create function tapestry_app.tenant_id(name text) returns uuid language sql stable security definer set search_path = ''
      return (select t.id from tapestry_base.tenants t where t.name = $1)`,
    "revoke all on function tapestry_app.tenant_id(text) from public",
    // Roles belong to the server and not to the database: another one may have it, or this user no right to make it.
    `do $$ begin
      create role tapestry_app nologin;
    exception when duplicate_object or unique_violation or insufficient_privilege then null; end $$`,
    `do $$ begin
      if exists (select from pg_roles where rolname = 'tapestry_app') then
        grant usage on schema tapestry, tapestry_app to tapestry_app;
        grant select on tapestry.migration_checksums to tapestry_app;
        grant execute on function tapestry_app.tenant_id(text) to tapestry_app;
      end if;
    end $$`,
    grantViews(tables, "select, insert, update, delete"),
    grantViews(["tenants"], "select")
  ]
}
