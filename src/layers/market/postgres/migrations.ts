import type { PostgresMigration } from "../../postgres/migrate.ts"
import { jobs } from "./migrations/0003-jobs.ts"
import { tenants } from "./migrations/0004-tenants.ts"
import { cuts } from "./migrations/0005-cuts.ts"
import { apiConfig } from "./migrations/0006-api-config.ts"
import { tenantsAtWork } from "./migrations/0007-tenants-at-work.ts"

/**
 * The tables, which are made in the schema `tapestry` and have been in `tapestry_base` since the fourth migration. They mean what those of the
 * same names mean in SQLite (../migrations.ts); what differs:
 *
 * - Every table has `tenant` from the beginning, so that views that filter on it could come to stand before the tables without a row
 *   being written anew. Generations are numbered over all tenants, so keys need no tenant to be unique.
 * - Tables of rows and of revisions have `ts timestamptz`, which people and tools read, and which is what TimescaleDB cuts into chunks; it is
 *   part of the primary key, so that all of them can become hypertables as they are. The generation comes before it: a range of one
 *   series is then a stretch of the index also on plain PostgreSQL. Every other instant is `int8` epoch milliseconds: coverage may
 *   reach to where no calendar does.
 * - Records have whole milliseconds in `ts` and the nanoseconds since in `ns`: a timestamptz has microseconds. What they hold as JSON is text,
 *   because a jsonb is not the text that went in.
 * - Columns of eight bytes come first, so that no row has padding.
 * - Text that is compared or sorted has the collation "C", in which PostgreSQL sorts as JavaScript compares.
 */
export const migrations: ReadonlyArray<PostgresMigration> = [
  {
    id: 1,
    name: "market",
    statements: [
      `create table tapestry.series (
        id int8 generated always as identity primary key,
        generation int8 not null,
        operation int8 not null default 0,
        tenant uuid not null,
        canonical text collate "C" not null,
        sha256 text not null,
        vendor text collate "C" not null,
        dataset text collate "C",
        symbol text collate "C" not null,
        kind text not null,
        timeframe text,
        price text not null,
        session text not null,
        currency text,
        adjustment text not null,
        unique (tenant, canonical)
      )`,
      "create index series_by_symbol on tapestry.series (tenant, symbol)",
      `create table tapestry.generations (
        id int8 generated always as identity primary key,
        series int8 not null,
        created_at int8 not null,
        published_at int8,
        superseded_at int8,
        row_count int8 not null default 0,
        revision_count int8 not null default 0,
        tenant uuid not null,
        state text not null check (state in ('building', 'current', 'superseded', 'dropped'))
      )`,
      "create index generations_by_series on tapestry.generations (series)",
      "create index generations_dropped on tapestry.generations (id) where state = 'dropped'",
      `create table tapestry.applied (
        id int8 generated always as identity primary key,
        generation int8 not null,
        response int8 not null,
        decoder_version int8 not null,
        fetched_at int8 not null,
        tenant uuid not null,
        keeps_nulls int2 not null,
        unique (generation, response, decoder_version)
      )`,
      `create table tapestry.bars (
        generation int8 not null,
        ts timestamptz not null,
        open float8 not null,
        high float8 not null,
        low float8 not null,
        close float8 not null,
        volume float8,
        vwap float8,
        count float8,
        position int8 not null,
        applied int8 not null,
        shown int8,
        shown_position int8,
        tenant uuid not null,
        final int2 not null,
        primary key (generation, ts)
      )`,
      `create table tapestry.revisions (
        generation int8 not null,
        ts timestamptz not null,
        applied int8 not null,
        open float8,
        high float8,
        low float8,
        close float8,
        volume float8,
        vwap float8,
        count float8,
        position int8 not null,
        shown int8,
        shown_position int8,
        superseded_by int8 not null,
        superseded_at int8,
        tenant uuid not null,
        final int2 not null,
        kind int2 not null,
        primary key (generation, ts, applied)
      )`,
      `create table tapestry.echoes (
        applied int8 not null,
        last_ts int8 not null,
        first_ts int8 not null,
        part int8 not null,
        tenant uuid not null,
        data bytea not null,
        primary key (applied, last_ts, part)
      )`,
      // Echoes are packed already.
      "alter table tapestry.echoes alter column data set storage external",
      `create table tapestry.answers (
        id int8 generated always as identity primary key,
        generation int8 not null,
        start_ts int8 not null,
        end_ts int8 not null,
        until int8,
        fetched_at int8 not null,
        response int8 not null,
        decoder_version int8 not null,
        applied int8,
        tenant uuid not null,
        state int2 not null
      )`,
      "create index answers_by_end on tapestry.answers (generation, end_ts, start_ts, id)",
      `create table tapestry.coverage (
        generation int8 not null,
        start_ts int8 not null,
        end_ts int8 not null,
        until int8,
        fetched_at int8 not null,
        response int8 not null,
        decoder_version int8 not null,
        tenant uuid not null,
        state int2 not null,
        settled int2 not null,
        primary key (generation, start_ts)
      )`,
      `create table tapestry.refusals (
        generation int8 not null,
        start_ts int8 not null,
        end_ts int8 not null,
        until int8,
        fetched_at int8 not null,
        response int8 not null,
        decoder_version int8 not null,
        tenant uuid not null,
        state int2 not null,
        settled int2 not null,
        primary key (generation, start_ts)
      )`,
      `create table tapestry.action_answers (
        applied int8 primary key,
        generation int8 not null,
        start_ts int8,
        end_ts int8,
        tenant uuid not null
      )`,
      "create index action_answers_by_generation on tapestry.action_answers (generation, applied)",
      `create table tapestry.actions (
        applied int8 not null,
        ts int8 not null,
        position int8 not null,
        numerator float8,
        denominator float8,
        amount float8,
        ordinal int4 not null,
        kind int2 not null,
        tenant uuid not null,
        currency text,
        primary key (applied, ts, kind, ordinal)
      )`,
      `create table tapestry.reconciled_pairs (
        id int8 generated always as identity primary key,
        tenant uuid not null,
        left_series text collate "C" not null,
        right_series text collate "C" not null,
        unique (tenant, left_series, right_series)
      )`,
      `create table tapestry.mismatches (
        pair int8 not null,
        ts int8 not null,
        found_at int8 not null,
        resolved_at int8,
        left_value float8,
        right_value float8,
        tenant uuid not null,
        field int2 not null,
        primary key (pair, ts, field, found_at)
      )`
    ]
  },
  {
    id: 2,
    name: "records",
    statements: [
      "create index applied_by_time on tapestry.applied (generation, fetched_at, response)",
      `create table tapestry.trades (
        generation int8 not null,
        ts timestamptz not null,
        price float8 not null,
        size float8,
        sequence int8,
        position int8 not null,
        applied int8 not null,
        tenant uuid not null,
        ns int4 not null,
        identity text collate "C" not null,
        venue text,
        side text,
        conditions text,
        primary key (generation, ts, ns, identity)
      )`,
      `create table tapestry.quotes (
        generation int8 not null,
        ts timestamptz not null,
        bid float8,
        bid_size float8,
        ask float8,
        ask_size float8,
        sequence int8,
        position int8 not null,
        applied int8 not null,
        tenant uuid not null,
        ns int4 not null,
        identity text collate "C" not null,
        venue text,
        conditions text,
        primary key (generation, ts, ns, identity)
      )`,
      `create table tapestry.statistics (
        generation int8 not null,
        ts timestamptz not null,
        price float8,
        quantity float8,
        sequence int8,
        position int8 not null,
        applied int8 not null,
        tenant uuid not null,
        ns int4 not null,
        identity text collate "C" not null,
        type text not null,
        session text,
        venue text,
        primary key (generation, ts, ns, identity)
      )`,
      `create table tapestry.fundamentals (
        generation int8 not null,
        ts timestamptz not null,
        total_assets float8,
        total_liabilities float8,
        net_income float8,
        eps float8,
        position int8 not null,
        applied int8 not null,
        tenant uuid not null,
        ns int4 not null,
        identity text collate "C" not null,
        period text,
        other text,
        primary key (generation, ts, ns, identity)
      )`,
      `create table tapestry.news (
        generation int8 not null,
        ts timestamptz not null,
        sentiment float8,
        position int8 not null,
        applied int8 not null,
        tenant uuid not null,
        ns int4 not null,
        identity text collate "C" not null,
        id text,
        title text not null,
        url text,
        primary key (generation, ts, ns, identity)
      )`,
      `create table tapestry.option_snapshots (
        generation int8 not null,
        ts timestamptz not null,
        strike float8 not null,
        bid float8,
        ask float8,
        last float8,
        iv float8,
        delta float8,
        gamma float8,
        theta float8,
        vega float8,
        open_interest float8,
        volume float8,
        spot float8,
        position int8 not null,
        applied int8 not null,
        tenant uuid not null,
        ns int4 not null,
        identity text collate "C" not null,
        expiry text not null,
        "right" text not null,
        primary key (generation, ts, ns, identity)
      )`,
      `create table tapestry.signals (
        generation int8 not null,
        ts timestamptz not null,
        value float8 not null,
        score float8,
        position int8 not null,
        applied int8 not null,
        tenant uuid not null,
        ns int4 not null,
        identity text collate "C" not null,
        name text not null,
        metadata text,
        primary key (generation, ts, ns, identity)
      )`,
      `create table tapestry.record_revisions (
        generation int8 not null,
        ts timestamptz not null,
        position int8 not null,
        applied int8 not null,
        superseded_by int8 not null,
        tenant uuid not null,
        ns int4 not null,
        kind int2 not null,
        identity text collate "C" not null,
        cells text not null,
        primary key (generation, ts, ns, identity, applied)
      )`,
      `create table tapestry.record_echoes (
        id int8 generated always as identity,
        generation int8 not null,
        applied int8 not null,
        first_ts int8 not null,
        last_ts int8 not null,
        tenant uuid not null,
        data text not null,
        primary key (generation, last_ts, id)
      )`
    ]
  },
  jobs,
  tenants,
  cuts,
  apiConfig,
  tenantsAtWork
]
