/**
 * The log of spent budget on disk. Its commits are NORMAL: they survive the death of the process, which is all that is asked;
 * a loss of power may forget the last second.
 */
import { Effect } from "effect"
import { expectMigrated, migrate, type SqliteMigration } from "../sqlite/migrate.ts"
import * as Sqlite from "../sqlite/SqliteDatabase.ts"
import type { Place } from "./Budget.ts"
import type { ClockReading } from "./LogClock.ts"

/** An entry: `weight` spent at `at` (milliseconds of the log's time) in one place of an account. */
export interface SpentEntry {
  readonly id: number
  readonly place: Place
  readonly at: number
  readonly weight: number
}

const migrations: ReadonlyArray<SqliteMigration> = [
  {
    id: 1,
    name: "spent",
    statements: [
      // Ids are never used twice, so that "what is new" is what has a higher id, also after old entries were deleted.
      `create table spent (
        id integer primary key autoincrement,
        account text not null,
        key text,
        value text not null,
        at integer not null,
        weight real not null
      ) strict`,
      "create index spent_by_account on spent (account, id)",
      `create table clock (
        id integer primary key check (id = 1),
        log real not null,
        wall real not null
      ) strict`
    ]
  },
  {
    id: 2,
    name: "rests",
    // Until when an account is left alone, in milliseconds of the log's time.
    statements: ["create table rests (account text primary key, until integer not null) strict"]
  }
]

export const pageSize = 4_000
const pruneStep = 500

const toEntry = (row: ReadonlyArray<Sqlite.SqlValue>): SpentEntry => ({
  id: Number(row[0]),
  place: { key: row[1] === null || row[1] === undefined ? null : String(row[1]), value: String(row[2]) },
  at: Number(row[3]),
  weight: Number(row[4])
})

/** Entries of an account with an id above `after`, in the order of their ids, at most a page. */
export const entriesAfter = (db: Sqlite.SyncDatabase, account: string, after: number): ReadonlyArray<SpentEntry> =>
  db
    .prepare(`select id, key, value, at, weight from spent where account = ? and id > ? order by id limit ${pageSize}`)
    .all(account, after)
    .map(toEntry)

/** Appends what one request spends and gives the ids of its entries. */
export const append = (
  db: Sqlite.SyncDatabase,
  account: string,
  places: ReadonlyArray<Place>,
  at: number,
  weight: number
): ReadonlyArray<number> =>
  places.map(
    ({ key, value }) =>
      db
        .prepare("insert into spent (account, key, value, at, weight) values (?, ?, ?, ?, ?)")
        .run(account, key, value, at, weight).lastInsertRowid
  )

export const remove = (db: Sqlite.SyncDatabase, ids: ReadonlyArray<number>): void => {
  for (const id of ids) db.prepare("delete from spent where id = ?").run(id)
}

/** Deletes entries of an account from `until` or before, at most a step of them; true when there may be more. */
export const prune = (db: Sqlite.SyncDatabase, account: string, until: number): boolean =>
  db
    .prepare(
      `delete from spent where id in (
        select id from (select id, at from spent where account = ? order by id limit ${pruneStep}) where at <= ?
      )`
    )
    .run(account, until).changes === pruneStep

export const readClock = (db: Sqlite.SyncDatabase): ClockReading | null => {
  const row = db.prepare("select log, wall from clock").get()
  return row === undefined ? null : { log: Number(row[0]), wall: Number(row[1]) }
}

/** Saves a reading, unless another process has saved a later one. */
export const writeClock = (db: Sqlite.SyncDatabase, reading: ClockReading): void => {
  db.prepare(
    `insert into clock (id, log, wall) values (1, ?, ?)
     on conflict (id) do update set log = excluded.log, wall = excluded.wall where excluded.log >= clock.log`
  ).run(reading.log, reading.wall)
}

/** Opens the log and brings it to the newest version. */
export const open = Effect.fnUntraced(function* (filename: string) {
  const database = yield* Sqlite.open({ filename, synchronous: "NORMAL" })
  yield* migrate(database, migrations)
  return database
})

/** How many entries a log has, without writing to it; fails where it cannot be read. */
export const inspect = Effect.fnUntraced(function* (filename: string) {
  const database = yield* Sqlite.open({ filename, synchronous: "NORMAL", readonly: true })
  yield* expectMigrated(database, migrations)
  return yield* database.read("Quota.inspect", (db) => Number(db.prepare("select count(*) from spent").get()?.[0] ?? 0))
})
