import type { SqliteMigration } from "../sqlite/migrate.ts"
import { jobs } from "./migrations/0007-jobs.ts"
import { tenants } from "./migrations/0008-tenants.ts"
import { cuts } from "./migrations/0009-cuts.ts"
import { apiConfig } from "./migrations/0010-api-config.ts"

/**
 * The tables of market.sqlite. Times are UTC epoch milliseconds. Hot tables have no foreign keys: every insert would pay for
 * them, and only this component writes here.
 *
 * - `tenants`: whose series there may be; what belongs to a series is its tenant's.
 * - `series`: `operation` is the last operation of the archive (see ProvenanceStore) that the series has.
 * - `applied`: one row per (generation, response, decoder version); its id stands for the response in all other tables.
 * - `bars`: the newest value of a stamp. `applied` is the response that asserted it first; `shown`, with `shown_position`, is
 *   the response to name instead, where a published generation took over an equal row of the one before it.
 * - `revisions`: values that were superseded. `kind` 0 is a provisional value overwritten by a provisional one: nobody reads
 *   it, but a response that is committed late needs it. `superseded_at` is null where it is the fetch time of `superseded_by`,
 *   else the instant at which a generation was published.
 * - `echoes`: assertions that changed nothing, in blocks (see EchoBlock.ts).
 * - `action_answers`: one row per response that told of corporate actions; `start_ts` to `end_ts` is the range of ex-dates that it
 *   told all of, null when it only added some. `actions`: what it told; `ordinal` counts those of one kind and date.
 * - `reconciled_pairs`, `mismatches`: what two series (canonical keys) disagree about; `field` is an index (see mismatches.ts).
 * - `trades` to `signals`: rows of the other kinds, by instant (`ts`, and `ns` nanoseconds after it) and `identity`
 *   (see RecordKind.ts); JSON is canonical text. `record_revisions`: the values that gave way, `cells` a JSON array in the order of the
 *   kind's columns, `kind` as in `revisions`. `record_echoes`: assertions that changed nothing (see recordEchoes.ts).
 * - `answers`: every coverage interval ever asserted or invalidated. `coverage`: the newest of them at each instant that is no
 *   refusal; `settled` is 0 only where nothing final was ever asserted anywhere inside, so that a new row there supersedes nothing.
 *   `refusals`: the newest refusal at each instant (see refusals.ts); its `settled` means nothing.
 */
export const migrations: ReadonlyArray<SqliteMigration> = [
  {
    id: 1,
    name: "market",
    statements: [
      `create table series (
        id integer primary key,
        tenant text not null default 'default',
        canonical text not null,
        sha256 text not null,
        vendor text not null,
        dataset text,
        symbol text not null,
        kind text not null,
        timeframe text,
        price text not null,
        session text not null,
        currency text,
        adjustment text not null,
        generation integer not null,
        unique (tenant, canonical)
      ) strict`,
      "create index series_by_symbol on series (symbol)",
      `create table generations (
        id integer primary key autoincrement,
        series integer not null,
        state text not null check (state in ('building', 'current', 'superseded', 'dropped')),
        created_at integer not null,
        published_at integer,
        superseded_at integer,
        row_count integer not null default 0,
        revision_count integer not null default 0
      ) strict`,
      "create index generations_by_series on generations (series)",
      `create table applied (
        id integer primary key autoincrement,
        generation integer not null,
        response integer not null,
        decoder_version integer not null,
        fetched_at integer not null,
        keeps_nulls integer not null,
        unique (generation, response, decoder_version)
      ) strict`,
      `create table bars (
        generation integer not null,
        ts integer not null,
        open real not null,
        high real not null,
        low real not null,
        close real not null,
        volume real,
        vwap real,
        count real,
        final integer not null,
        position integer not null,
        applied integer not null,
        shown integer,
        shown_position integer,
        primary key (generation, ts)
      ) strict, without rowid`,
      `create table revisions (
        generation integer not null,
        ts integer not null,
        applied integer not null,
        open real,
        high real,
        low real,
        close real,
        volume real,
        vwap real,
        count real,
        final integer not null,
        position integer not null,
        shown integer,
        shown_position integer,
        kind integer not null,
        superseded_by integer not null,
        superseded_at integer,
        primary key (generation, ts, applied)
      ) strict, without rowid`,
      `create table echoes (
        applied integer not null,
        last_ts integer not null,
        first_ts integer not null,
        data blob not null,
        part integer not null,
        primary key (applied, last_ts, part)
      ) strict, without rowid`,
      `create table answers (
        id integer primary key autoincrement,
        generation integer not null,
        start_ts integer not null,
        end_ts integer not null,
        state integer not null,
        until integer,
        fetched_at integer not null,
        response integer not null,
        decoder_version integer not null,
        applied integer
      ) strict`,
      "create index answers_by_end on answers (generation, end_ts, start_ts)",
      `create table coverage (
        generation integer not null,
        start_ts integer not null,
        end_ts integer not null,
        state integer not null,
        until integer,
        fetched_at integer not null,
        response integer not null,
        decoder_version integer not null,
        settled integer not null,
        primary key (generation, start_ts)
      ) strict, without rowid`
    ]
  },
  {
    id: 2,
    name: "corporate actions",
    statements: [
      `create table action_answers (
        applied integer primary key,
        generation integer not null,
        start_ts integer,
        end_ts integer
      ) strict`,
      "create index action_answers_by_generation on action_answers (generation)",
      `create table actions (
        applied integer not null,
        ts integer not null,
        kind integer not null,
        ordinal integer not null,
        position integer not null,
        numerator real,
        denominator real,
        amount real,
        currency text,
        primary key (applied, ts, kind, ordinal)
      ) strict, without rowid`
    ]
  },
  {
    id: 3,
    name: "operations",
    statements: ["alter table series add column operation integer not null default 0"]
  },
  {
    id: 4,
    name: "mismatches",
    statements: [
      `create table reconciled_pairs (
        id integer primary key,
        tenant text not null default 'default',
        left_series text not null,
        right_series text not null,
        unique (tenant, left_series, right_series)
      ) strict`,
      `create table mismatches (
        pair integer not null,
        ts integer not null,
        field integer not null,
        left_value real,
        right_value real,
        found_at integer not null,
        resolved_at integer,
        primary key (pair, ts, field, found_at)
      ) strict, without rowid`
    ]
  },
  {
    id: 5,
    name: "refusals beside what is proven",
    // A refusal used to lie on what was proven before it. Beneath each one that is there the newest of the others is laid
    // bare again, and what was cut by it is one piece again.
    statements: [
      `create table refusals (
        generation integer not null,
        start_ts integer not null,
        end_ts integer not null,
        state integer not null,
        until integer,
        fetched_at integer not null,
        response integer not null,
        decoder_version integer not null,
        settled integer not null,
        primary key (generation, start_ts)
      ) strict, without rowid`,
      "insert into refusals select * from coverage where state in (4, 5)",
      "delete from coverage where state in (4, 5)",
      `create table bared as
        with points as (
          select generation, start_ts as low, end_ts as high, settled, start_ts as ts from refusals
          union
          select r.generation, r.start_ts, r.end_ts, r.settled, a.start_ts from refusals r join answers a
            on a.generation = r.generation and a.start_ts > r.start_ts and a.start_ts < r.end_ts and a.state not in (4, 5)
          union
          select r.generation, r.start_ts, r.end_ts, r.settled, a.end_ts from refusals r join answers a
            on a.generation = r.generation and a.end_ts > r.start_ts and a.end_ts < r.end_ts and a.state not in (4, 5)
        ),
        segments as (
          select generation, settled, ts as start_ts,
            lead(ts, 1, high) over (partition by generation, low order by ts) as end_ts from points
        )
        select * from (
          select s.*, (
            select a.id from answers a where a.generation = s.generation and a.end_ts >= s.end_ts
              and a.start_ts <= s.start_ts and a.state not in (4, 5)
            order by a.fetched_at desc, a.response desc, a.decoder_version desc limit 1
          ) as answer from segments s
        ) where answer is not null`,
      `insert into bared select c.generation, c.settled, c.start_ts, c.end_ts, a.id from coverage c join answers a
        on a.generation = c.generation and a.start_ts <= c.start_ts and a.end_ts >= c.end_ts and a.state = c.state
        and a.fetched_at = c.fetched_at and a.response = c.response and a.decoder_version = c.decoder_version
        where a.id in (select answer from bared)`,
      `delete from coverage where exists
        (select 1 from bared b where b.generation = coverage.generation and b.start_ts = coverage.start_ts)`,
      `insert into coverage
        with begun as (
          select *, case when lag(end_ts) over whole = start_ts and lag(answer) over whole = answer then 0 else 1 end as begins
          from bared window whole as (partition by generation order by start_ts)
        ),
        islands as (select *, sum(begins) over (partition by generation order by start_ts) as island from begun)
        select i.generation, min(i.start_ts), max(i.end_ts), a.state, a.until, a.fetched_at, a.response, a.decoder_version,
          max(i.settled)
        from islands i join answers a on a.id = i.answer group by i.generation, i.island`,
      "drop table bared",
      "update refusals set settled = 0"
    ]
  },
  {
    id: 6,
    name: "records",
    statements: [
      "create index applied_by_time on applied (generation, fetched_at, response)",
      `create table trades (
        generation integer not null,
        ts integer not null,
        ns integer not null,
        identity text not null,
        price real not null,
        size real,
        venue text,
        sequence integer,
        side text,
        conditions text,
        applied integer not null,
        position integer not null,
        primary key (generation, ts, ns, identity)
      ) strict, without rowid`,
      `create table quotes (
        generation integer not null,
        ts integer not null,
        ns integer not null,
        identity text not null,
        bid real,
        bid_size real,
        ask real,
        ask_size real,
        venue text,
        sequence integer,
        conditions text,
        applied integer not null,
        position integer not null,
        primary key (generation, ts, ns, identity)
      ) strict, without rowid`,
      `create table statistics (
        generation integer not null,
        ts integer not null,
        ns integer not null,
        identity text not null,
        type text not null,
        price real,
        quantity real,
        session text,
        venue text,
        sequence integer,
        applied integer not null,
        position integer not null,
        primary key (generation, ts, ns, identity)
      ) strict, without rowid`,
      `create table fundamentals (
        generation integer not null,
        ts integer not null,
        ns integer not null,
        identity text not null,
        period text,
        total_assets real,
        total_liabilities real,
        net_income real,
        eps real,
        other text,
        applied integer not null,
        position integer not null,
        primary key (generation, ts, ns, identity)
      ) strict, without rowid`,
      `create table news (
        generation integer not null,
        ts integer not null,
        ns integer not null,
        identity text not null,
        id text,
        title text not null,
        url text,
        sentiment real,
        applied integer not null,
        position integer not null,
        primary key (generation, ts, ns, identity)
      ) strict, without rowid`,
      `create table option_snapshots (
        generation integer not null,
        ts integer not null,
        ns integer not null,
        identity text not null,
        expiry text not null,
        right text not null,
        strike real not null,
        bid real,
        ask real,
        last real,
        iv real,
        delta real,
        gamma real,
        theta real,
        vega real,
        open_interest real,
        volume real,
        spot real,
        applied integer not null,
        position integer not null,
        primary key (generation, ts, ns, identity)
      ) strict, without rowid`,
      `create table signals (
        generation integer not null,
        ts integer not null,
        ns integer not null,
        identity text not null,
        name text not null,
        value real not null,
        score real,
        metadata text,
        applied integer not null,
        position integer not null,
        primary key (generation, ts, ns, identity)
      ) strict, without rowid`,
      `create table record_echoes (
        generation integer not null,
        applied integer not null,
        part integer not null,
        first_ts integer not null,
        last_ts integer not null,
        data text not null,
        primary key (generation, applied, part)
      ) strict, without rowid`,
      `create table record_revisions (
        generation integer not null,
        ts integer not null,
        ns integer not null,
        identity text not null,
        applied integer not null,
        position integer not null,
        cells text not null,
        kind integer not null,
        superseded_by integer not null,
        primary key (generation, ts, ns, identity, applied)
      ) strict, without rowid`
    ]
  },
  jobs,
  tenants,
  cuts,
  apiConfig
]
