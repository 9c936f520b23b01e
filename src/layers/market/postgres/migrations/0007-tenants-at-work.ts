import type { PostgresMigration } from "../../../postgres/migrate.ts"

/**
 * Which tenants have jobs under way, or due at an instant, by the job that each would begin first; of those with due ones the first so many.
 * Who works in the database sees one tenant's jobs at a time; a process that runs the jobs of all has to know for whom there are any.
 */
export const tenantsAtWork: PostgresMigration = {
  id: 7,
  name: "tenants_at_work",
  statements: [
    `create function tapestry_app.tenants_at_work(instant int8, most int8) returns setof text
      language sql stable security definer set search_path = ''
      begin atomic
        select t.name from tapestry_base.tenants t where t.id in (
          select j.tenant from tapestry_base.jobs j where j.state = 'running'
          union
          select next.tenant from (
            select due.tenant from (
              select j.tenant, j.priority, j.seq, row_number() over (partition by j.tenant order by j.priority desc, j.seq) as place
              from tapestry_base.jobs j where j.state = 'queued' and coalesce(j.not_before, 0) <= $1
            ) due where due.place = 1 order by due.priority desc, due.seq limit $2
          ) next
        );
      end`,
    "revoke all on function tapestry_app.tenants_at_work(int8, int8) from public",
    `do $$ begin
      if exists (select from pg_roles where rolname = 'tapestry_app') then
        grant execute on function tapestry_app.tenants_at_work(int8, int8) to tapestry_app;
      end if;
    end $$`
  ]
}
