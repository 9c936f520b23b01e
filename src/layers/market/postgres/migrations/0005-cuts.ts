import type { PostgresMigration } from "../../../postgres/migrate.ts"
import { remakeRetention } from "../timescale/retention.ts"

/**
 * As in SQLite (../../migrations/0009-cuts.ts). The views take the new columns up, at their end. A function that drops old rows was made by the release
 * that set the first policy, and knows nothing of them: what depends on the database's extension is made anew by whoever migrates.
 */
export const cuts: PostgresMigration = {
  id: 5,
  name: "cuts",
  statements: [
    "alter table tapestry_base.generations add column cuts int8 not null default 0, add column cut_before int8",
    ...["tapestry.generations with (security_barrier = true)", "tapestry_app.generations"].map(
      (view) => `create or replace view ${view} as select * from tapestry_base.generations
        where tenant = (select nullif(current_setting('app.tenant_id', true), '')::uuid) with cascaded check option`
    )
  ],
  after: remakeRetention
}
