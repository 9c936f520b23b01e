/**
 * The views through which a tenant has its rows of a table of `tapestry_base`. Statements of applied migrations are made here: what this
 * gives for a table must stay as it is.
 *
 * A view shows the rows of the tenant that the transaction has set, and lets none be written that it would not show. Nothing set, or
 * set and gone with an earlier transaction of the connection (then it is empty, and no uuid), is no tenant: nothing is seen and nothing
 * written. Who is asked for stands in a subquery, so that it is found out once in a statement and not for every row that is read or checked.
 *
 * Each table has two. The one in `tapestry`, for SQL that people write, is a security barrier: no function in a condition
 * sees a row of somebody else, not even to fail on it. PostgreSQL pays for that by planning the view apart: it takes no order, limit or
 * joined key from around it, and the last bar of a series is found by reading all of them. The one in `tapestry_app` is the same without the barrier, for
 * statements whose conditions are known to call nothing that could tell: those of Tapestry.
 */
const current = "(select nullif(current_setting('app.tenant_id', true), '')::uuid)"

export const tenantViews = (table: string, tenant = "tenant"): ReadonlyArray<string> =>
  [`tapestry.${table} with (security_barrier = true)`, `tapestry_app.${table}`].map(
    (view) => `create view ${view} as select * from tapestry_base.${table} where ${tenant} = ${current}
        with cascaded check option`
  )

/** What an application may do with the views of a table; nothing where nobody has made its role. */
export const grantViews = (tables: ReadonlyArray<string>, rights: string): string => `do $$ begin
    if exists (select from pg_roles where rolname = 'tapestry_app') then
      grant ${rights} on ${tables.flatMap((table) => [`tapestry.${table}`, `tapestry_app.${table}`]).join(", ")} to tapestry_app;
    end if;
  end $$`
