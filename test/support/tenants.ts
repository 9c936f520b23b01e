/** Tenants in a database of the tests, and a user who may do no more than work in it. */
import { Effect } from "effect"
import { TenantName } from "../../src/domain/Tenant.ts"
import { sql } from "./postgres.ts"

/** Of the server, and so of all its databases; a member of tapestry_app and nothing else. */
export const worker = "tapestry_worker"

export const asWorker = (url: string): string => url.replace("postgres@", `${worker}@`)

/** Several databases are made at once. */
const makeWorker = `do $$ begin
  create role ${worker} login;
exception when duplicate_object or unique_violation then null; end $$`
const joinApp = `do $$ begin
  if not pg_has_role('${worker}', 'tapestry_app', 'member') then grant tapestry_app to ${worker}; end if;
end $$`

/** The URL of a database for its worker. */
export const workerIn = (url: string): Effect.Effect<string> =>
  Effect.as(Effect.andThen(sql(url, makeWorker), sql(url, joinApp)), asWorker(url))

export const acme = { name: TenantName.make("acme"), id: "aaaaaaaa-0000-0000-0000-000000000000" }
export const bolt = { name: TenantName.make("bolt"), id: "bbbbbbbb-0000-0000-0000-000000000000" }

export const withTenants = (url: string): Effect.Effect<unknown> =>
  sql(
    url,
    `insert into tapestry_base.tenants (id, created_at, name) values ${[acme, bolt]
      .map(({ id, name }) => `('${id}', 0, '${name}')`)
      .join(", ")}`
  )
