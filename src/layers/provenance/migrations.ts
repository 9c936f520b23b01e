/**
 * The tables of provenance.sqlite. Instants are UTC epoch milliseconds, hashes are 32 bytes, ids are surrogate integers.
 *
 * `identities` holds what is asked once, however often it is asked; `requests` has a row per call and `responses` one per
 * attempt, so that neither a repeat nor a retry can hide an earlier one. `responses` repeats the identity and the series of
 * its request, because the two questions asked on every range ("the newest good answer to this", "the answers about that
 * series since") must each be one index walk. Every further index is a page more in each commit: the attempts of a request
 * are found through its identity, the open calls of a session among all of its calls. Identities and payloads are named by
 * their content and shared by all tenants; sessions, requests and responses belong to one.
 *
 * `operations` is what was decided about series beside the answers (see operations.ts); `operation_responses` are those that a
 * published generation was made of.
 */
import type { SqliteMigration } from "../sqlite/migrate.ts"

export const migrations: ReadonlyArray<SqliteMigration> = [
  {
    id: 1,
    name: "archive",
    statements: [
      `create table sessions (
        id integer primary key autoincrement,
        tenant text not null default 'default',
        source text not null,
        mode text not null,
        as_of integer,
        started_at integer not null,
        ended_at integer,
        outcome text,
        reason text,
        pid integer not null,
        process_start text not null
      ) strict`,
      `create index sessions_open on sessions (id) where outcome is null`,
      `create table series (
        id integer primary key,
        key text not null unique
      ) strict`,
      `create table identities (
        id integer primary key,
        sha256 blob not null unique,
        source text not null,
        kind text not null,
        method text not null,
        params_json text not null,
        body_json text not null,
        bucket text,
        cache_tag text
      ) strict`,
      `create table payloads (
        id integer primary key,
        sha256 blob not null unique,
        size integer not null,
        body blob
      ) strict`,
      `create table requests (
        id integer primary key,
        tenant text not null default 'default',
        session integer not null references sessions (id),
        identity integer not null references identities (id),
        series integer references series (id),
        range_start integer,
        range_end integer,
        mode text not null,
        ttl real,
        created_at integer not null,
        outcome text,
        response integer references responses (id),
        cause text
      ) strict`,
      `create index requests_session on requests (session)`,
      `create index requests_identity on requests (identity)`,
      `create table responses (
        id integer primary key autoincrement,
        tenant text not null default 'default',
        request integer not null references requests (id),
        identity integer not null references identities (id),
        series integer references series (id),
        attempt integer not null,
        status text not null,
        payload integer references payloads (id),
        size integer not null,
        asked_at integer not null,
        fetched_at integer not null,
        waited real not null,
        cause text,
        metadata text not null
      ) strict`,
      `create index responses_answer on responses (identity, status, fetched_at desc, id desc)`,
      `create index responses_payload on responses (payload) where payload is not null`,
      `create index responses_series on responses (series, id)
        where series is not null and status in ('ok', 'not_found', 'not_entitled')`
    ]
  },
  {
    id: 2,
    name: "operations",
    statements: [
      `create table operations (
        id integer primary key autoincrement,
        tenant text not null default 'default',
        series integer not null references series (id),
        kind text not null check (kind in ('Invalidated', 'Published', 'Forgotten', 'Recalled')),
        range_start integer,
        range_end integer,
        known_at integer,
        after integer not null,
        recorded_at integer not null
      ) strict`,
      `create index operations_series on operations (series, id)`,
      `create table operation_responses (
        operation integer not null references operations (id),
        response integer not null,
        primary key (operation, response)
      ) strict, without rowid`
    ]
  },
  {
    id: 3,
    name: "revalidated",
    // An answer that said "not modified": the response whose bytes it confirms, which are its payload too.
    statements: ["alter table responses add column revalidated integer references responses (id)"]
  },
  {
    // A check of the kinds cannot be changed, so the table is made anew.
    id: 4,
    name: "admissions",
    statements: [
      `create table operations_4 (
        id integer primary key autoincrement,
        tenant text not null default 'default',
        series integer not null references series (id),
        kind text not null,
        range_start integer,
        range_end integer,
        known_at integer,
        response integer,
        after integer not null,
        recorded_at integer not null
      ) strict`,
      `insert into operations_4 (id, tenant, series, kind, range_start, range_end, known_at, after, recorded_at)
        select id, tenant, series, kind, range_start, range_end, known_at, after, recorded_at from operations`,
      `create table operation_responses_4 (
        operation integer not null references operations_4 (id),
        response integer not null,
        primary key (operation, response)
      ) strict, without rowid`,
      "insert into operation_responses_4 select operation, response from operation_responses",
      "drop table operation_responses",
      "drop table operations",
      "alter table operations_4 rename to operations",
      "alter table operation_responses_4 rename to operation_responses",
      "create index operations_series on operations (series, id)"
    ]
  },
  {
    id: 5,
    name: "upkeep",
    statements: [
      // 1: one zstd frame; 0: as they came, which no frame would make shorter; null: as they came, and nobody has tried. SQLite keeps
      // these three in a row's head, so that they are read without the body that stands before them.
      "alter table payloads add column encoding integer",
      // Bytes of the payload's file, where it is encoded; null for rows and for files as they came.
      "alter table payloads add column stored integer",
      // Files that no row speaks of any more, until they are removed.
      `create table discarded_files (
        sha256 blob not null,
        encoding integer not null,
        primary key (sha256, encoding)
      ) strict, without rowid`,
      // Sums over the records up to the ids that the row names; what is above them is added when it is asked for.
      `create table tallies (
        id integer primary key check (id = 1),
        sessions integer not null,
        requests integer not null,
        up_to_request integer not null,
        hits integer not null,
        responses integer not null,
        up_to_response integer not null,
        failed_responses integer not null,
        response_bytes integer not null,
        payloads integer not null,
        up_to_payload integer not null,
        payload_bytes integer not null,
        stored_bytes integer not null,
        removals integer not null
      ) strict`,
      "insert into tallies values (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)"
    ]
  }
]
