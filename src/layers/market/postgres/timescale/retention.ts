/**
 * Retention: rows before an instant are dropped, and with them everything that says they are there.
 *
 * A row that was dropped is never claimed: in the same transaction coverage and its history are cut off at that instant, for every
 * generation and so for readers as of any instant; what is asked for there counts as missing, and is fetched again. Refusals and
 * corporate actions stay, and so does the mark that a response is applied: the archive does not bring dropped rows back by itself.
 *
 * A reader that was told of rows before it and reads them after it is told that they are gone: each time that rows of a generation, or
 * revisions, are dropped, it is counted in the generation (../seriesMark.ts).
 *
 * One function in the database does it all, so that a policy can call it while no process of ours runs. Queueing: it takes the series of
 * the kind, in the order in which commits take theirs, and then holds the table of the rows against writers, not against readers. So no commit
 * is half done: none has compared with rows that go and claims them afterwards (it holds its series from before it reads), and none of a series
 * that is just being made has rows here and its coverage still to come. A series that was made while the table was waited for is not held, and a second commit
 * to it may have read what it claims: all is let go of and taken again, that series too. Whole chunks are dropped where a kind goes whole, and then only as far as
 * the last of them; else rows are deleted. Revisions follow in the same transaction.
 */
import { Effect } from "effect"
import type { Dropped, Retention } from "../../../../services/StorePolicies.ts"
import { alone } from "../../../postgres/migrate.ts"
import type { PostgresDatabase, Query } from "../../../postgres/PostgresDatabase.ts"
import { isContention } from "../../../postgres/PostgresFailure.ts"
import { instantOf, text } from "../../../postgres/values.ts"
import { tableOf } from "../../records/recordCells.ts"
import { num, numOrNull, RevisionKind } from "../../rows.ts"
import { isRefusal, StateCode } from "../../stateCode.ts"
import { baseSchema } from "./baseSchema.ts"
import { type Extension, findExtension } from "./extension.ts"

const tables = { bar: "bars", ...tableOf }
const refusals = Object.values(StateCode).filter(isRefusal).join(", ")

const rowsOf = Object.entries(tables)
  .map(([kind, table]) => `when '${kind}' then '${table}'`)
  .join(" ")

const ofKind = "s.kind = of_kind and (of_timeframe is null or s.timeframe = of_timeframe)"

const retain = (extension: Extension | null) => `create or replace function ${baseSchema}.retain(
    of_kind text, of_timeframe text, before timestamptz, out dropped int8, out chunks int8, out horizon timestamptz
  ) language plpgsql as $retain$
declare
  rows_table constant text := case of_kind ${rowsOf} end;
  past_table constant text := case of_kind when 'bar' then 'revisions' else 'record_revisions' end;
  held int8[];
  ids int8[];
  millis int8;
  whole boolean := false;
begin
  dropped := 0;
  chunks := 0;
  perform set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
  loop
    begin
      held := array(select s.id from ${baseSchema}.series s where ${ofKind} order by s.canonical for update);
      execute format('lock table ${baseSchema}.%I in share row exclusive mode', rows_table);
      exit when not exists (select from ${baseSchema}.series s where ${ofKind} and s.id <> all(held));
      raise serialization_failure;
    exception when serialization_failure then null;
    end;
  end loop;
  horizon := date_trunc('day', before, 'UTC');
${
  extension === null
    ? ""
    : `  if of_timeframe is null and exists (select from timescaledb_information.hypertables
      where hypertable_schema = '${baseSchema}' and hypertable_name = rows_table) then
    whole := true;
    select max(range_end), count(*) into horizon, chunks from timescaledb_information.chunks
      where hypertable_schema = '${baseSchema}' and hypertable_name = rows_table and range_end <= before;
    if horizon is null then return; end if;
  end if;`
}
  millis := floor(extract(epoch from horizon) * 1000);
  ids := array(select g.id from ${baseSchema}.generations g join ${baseSchema}.series s on s.id = g.series
    where ${ofKind});
  execute format('with counted as (
      select generation, count(*) as n from ${baseSchema}.%I where generation = any($1) and ts < $2 group by generation
    ), cut as (
      update ${baseSchema}.generations g set row_count = g.row_count - n, cuts = g.cuts + 1, cut_before = greatest(g.cut_before, $3)
      from counted where g.id = counted.generation
    ) select coalesce(sum(n), 0) from counted', rows_table) into dropped using ids, horizon, millis;
  execute format('with counted as (
      select generation, count(*) as n from ${baseSchema}.%I
      where generation = any($1) and ts < $2 and kind <> ${RevisionKind.overwritten} group by generation
    ) update ${baseSchema}.generations g
      set revision_count = g.revision_count - n, cuts = g.cuts + 1, cut_before = greatest(g.cut_before, $3)
      from counted where g.id = counted.generation', past_table) using ids, horizon, millis;
  delete from ${baseSchema}.coverage where generation = any(ids) and end_ts <= millis;
  update ${baseSchema}.coverage set start_ts = millis where generation = any(ids) and start_ts < millis;
  delete from ${baseSchema}.answers where generation = any(ids) and end_ts <= millis and state not in (${refusals});
  update ${baseSchema}.answers set start_ts = millis
    where generation = any(ids) and start_ts < millis and end_ts > millis and state not in (${refusals});
  delete from ${baseSchema}.echoes where last_ts < millis
    and applied in (select id from ${baseSchema}.applied where generation = any(ids));
  delete from ${baseSchema}.record_echoes where generation = any(ids) and last_ts < millis;
  execute format('delete from ${baseSchema}.%I where generation = any($1) and ts < $2', past_table) using ids, horizon;
  if whole then
${
  extension === null
    ? "    null;"
    : `    perform ${extension.fn("drop_chunks")}(format('${baseSchema}.%I', rows_table)::regclass, older_than => horizon);
    if past_table = 'revisions' then
      perform ${extension.fn("drop_chunks")}('${baseSchema}.revisions'::regclass, older_than => horizon);
    end if;`
}
  else
    execute format('delete from ${baseSchema}.%I where generation = any($1) and ts < $2', rows_table) using ids, horizon;
  end if;
end $retain$`

/** What a policy calls: TimescaleDB gives it the number of its job, and what was set with it. */
const retainJob = `create or replace procedure ${baseSchema}.retain_job(job_id int4, config jsonb) language plpgsql as $job$
begin
  perform ${baseSchema}.retain(config ->> 'kind', config ->> 'timeframe', now() - (config ->> 'drop_after')::interval);
end $job$`

/** Makes the functions as this release has them. */
export const installRetention = Effect.fnUntraced(function* (query: Query, extension: Extension | null) {
  yield* query(retain(extension))
  if (extension !== null) yield* query(retainJob)
})

const isMade = `select to_regprocedure('${baseSchema}.retain(text, text, timestamp with time zone)')::text`

/** The same where they were made by an earlier release: policies go on to call them. */
export const remakeRetention = Effect.fnUntraced(function* (query: Query) {
  const [made] = yield* query(isMade)
  if (typeof made?.[0] === "string") yield* installRetention(query, yield* findExtension(query))
})

/** Drops what is older, now; without `apply` it is all undone again. */
export const runRetention = (
  database: PostgresDatabase,
  { kind, timeframe }: Retention,
  before: number,
  apply: boolean
) =>
  alone(database, "retention", (query) =>
    Effect.gen(function* () {
      yield* query("set local statement_timeout = 0")
      yield* query("savepoint looked")
      yield* installRetention(query, yield* findExtension(query))
      const [row] = yield* query(`select dropped, chunks, horizon from ${baseSchema}.retain($1, $2, $3)`, [
        text(kind),
        text(timeframe),
        instantOf(before)
      ])
      if (!apply) yield* query("rollback to savepoint looked")
      const dropped: Dropped = { rows: num(row?.[0]), chunks: num(row?.[1]), before: numOrNull(row?.[2] ?? null) }
      return dropped
    })
  ).pipe(Effect.retry({ times: 3, while: (error) => error._tag === "PostgresFailure" && isContention(error) }))
