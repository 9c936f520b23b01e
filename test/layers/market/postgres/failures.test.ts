/** Each way in which a real server refuses, delays or loses a commit, and what the store makes of it. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Fiber, Layer, Redacted } from "effect"
import * as MarketStorePostgres from "../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { MarketStore } from "../../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../../src/services/RecordStore.ts"
import { bar, commitOf, everything, minute, reasonOf, seriesOf } from "../../../services/market/commits.ts"
import { recordSeries, recordsOf, trade } from "../../../services/records/commits.ts"
import { bareDatabase, postgres, sql } from "../../../support/postgres.ts"

const opened = (url: string) =>
  Effect.map(Layer.build(Layer.fresh(MarketStorePostgres.layer({ url: Redacted.make(url) }))), Context.get(MarketStore))

const series = seriesOf("A")
const rows = (count: number) => Array.from({ length: count }, (_, index) => bar(index * minute, 1 + index))
const commit = (id = 1) => commitOf(series, id, rows(10))

/** A transaction of somebody else, on a connection of its own. */
const other = (url: string) =>
  Effect.map(
    Layer.build(Layer.fresh(PgClient.layer({ url: Redacted.make(url), maxConnections: 1 }))),
    Context.get(PgClient.PgClient)
  )

/** Runs `body` for each row that is inserted into a table; `tries` counts, also in transactions that are rolled back. */
const whenInserted = (url: string, table: string, body: string, kind = "trigger") =>
  Effect.gen(function* () {
    yield* sql(url, "create sequence if not exists tries")
    yield* sql(
      url,
      `create or replace function hook() returns trigger language plpgsql as $$ begin ${body} return new; end $$`
    )
    const timing = kind === "trigger" ? "before insert" : "after insert"
    const deferred = kind === "trigger" ? "" : "deferrable initially deferred"
    yield* sql(
      url,
      `create ${kind} hook ${timing} on tapestry_base.${table} ${deferred} for each row execute function hook()`
    )
  })

const once = "if nextval('tries') = 1 then"
const triesOf = (url: string) =>
  Effect.map(sql(url, "select last_value::int from tries"), (found) => Number(found[0]?.[0]))

/** Waits until the condition over pg_stat_activity holds for a connection of the store. */
const until = (url: string, condition: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (;;) {
      const found = yield* sql(
        url,
        `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and ${condition}`
      )
      if (found.length > 0) return
      yield* Effect.sleep("5 millis")
    }
  })

/** A database with a user of its own, who is no superuser and made the tables. */
const owned = Effect.gen(function* () {
  const url = yield* bareDatabase
  const name = new URL(url).pathname.slice(1)
  yield* sql(url, `create role ${name} login`)
  yield* sql(url, `grant all on database ${name} to ${name}`)
  return { url, name, theirs: url.replace("postgres@", `${name}@`) }
})

describe("commits that PostgreSQL does not take", () => {
  it.live("a deadlock: the victim is run again and both are done", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const store = yield* opened(url)
      yield* store.commit(commitOf(series, 1, rows(3)))
      yield* sql(url, `alter database ${new URL(url).pathname.slice(1)} set deadlock_timeout = '20ms'`)
      yield* whenInserted(
        url,
        "answers",
        `${once} while not exists (select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))) loop
          perform pg_sleep(0.01); perform pg_stat_clear_snapshot(); end loop; end if;
        perform pg_advisory_xact_lock(4711);`
      )
      const client = yield* other(url)
      const fresh = yield* opened(url)
      yield* client.unsafe("set deadlock_timeout = '60s'").values
      const committing = yield* client.withTransaction(
        Effect.gen(function* () {
          yield* client.unsafe("select pg_advisory_xact_lock(4711)").values
          const fiber = yield* Effect.forkDetach(fresh.commit(commit(2)))
          yield* until(url, "wait_event = 'PgSleep'")
          // Held by the commit, which waits until somebody waits for it, and then wants what this transaction holds.
          yield* client.unsafe("select * from tapestry_base.series for update").values
          return fiber
        })
      )
      assert.strictEqual((yield* Fiber.join(committing)).inserted, 7)
      assert.isAbove(yield* triesOf(url), 1)
      assert.strictEqual(yield* store.count(series, everything), 10)
    })
  )

  it.live("a serialization failure that does not end: StoreRetryable after nine runs", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const store = yield* opened(url)
      yield* whenInserted(
        url,
        "answers",
        "perform nextval('tries'); raise exception 'in the way' using errcode = '40001';"
      )
      const error = yield* Effect.flip(store.commit(commit()))
      assert.strictEqual(error.reason._tag, "StoreRetryable")
      assert.match(error.message, /in the way.*again and again/)
      assert.strictEqual(yield* triesOf(url), 9)
      assert.strictEqual(yield* store.count(series, everything), 0)
    })
  )

  it.live("a session that is ended before COMMIT: run again on another connection, six times at most", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const store = yield* opened(url)
      yield* whenInserted(url, "answers", `${once} perform pg_terminate_backend(pg_backend_pid()); end if;`)
      assert.strictEqual((yield* store.commit(commit())).inserted, 10)
      assert.strictEqual(yield* triesOf(url), 2)
      yield* sql(url, "drop trigger hook on tapestry_base.answers")
      yield* sql(url, "select setval('tries', 1, false)")
      yield* whenInserted(url, "answers", "perform nextval('tries'); perform pg_terminate_backend(pg_backend_pid());")
      const reason = yield* reasonOf(store.commit(commit(2)))
      assert.strictEqual(reason._tag, "StoreRetryable")
      assert.strictEqual(yield* triesOf(url), 6)
    })
  )

  it.live("a session that is ended in COMMIT: never run again, and StoreUnavailable says that nobody knows", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const store = yield* opened(url)
      yield* whenInserted(
        url,
        "answers",
        `perform nextval('tries'); perform pg_terminate_backend(pg_backend_pid());`,
        "constraint trigger"
      )
      const error = yield* Effect.flip(store.commit(commit()))
      assert.strictEqual(error.reason._tag, "StoreUnavailable")
      assert.match(error.message, /answer to COMMIT was lost.*stores nothing twice/)
      assert.strictEqual(yield* triesOf(url), 1)
      yield* sql(url, "drop trigger hook on tapestry_base.answers")
      assert.strictEqual((yield* store.commit(commit())).inserted, 10)
    })
  )

  it.live("no connection left: waited for a while, then StoreRetryable names the pool", () =>
    Effect.gen(function* () {
      const { name, theirs, url } = yield* owned
      yield* Effect.scoped(opened(theirs))
      yield* sql(url, `alter database ${name} connection limit 0`)
      const refused = yield* Effect.flip(Effect.scoped(opened(theirs)))
      assert.strictEqual(refused.reason._tag, "StoreRetryable")
      assert.match(refused.message, /too many connections.*TAPESTRY_PG_POOL_MAX/)
      const waiting = yield* Effect.forkChild(
        Effect.scoped(Effect.flatMap(opened(theirs), (store) => store.commit(commit())))
      )
      yield* Effect.sleep("50 millis")
      yield* sql(url, `alter database ${name} connection limit -1`)
      assert.strictEqual((yield* Fiber.join(waiting)).inserted, 10)
    })
  )

  it.live("a right that was taken away, and rows that row security refuses: StoreTenantDenied", () =>
    Effect.gen(function* () {
      const { name, theirs, url } = yield* owned
      const store = yield* opened(theirs)
      yield* sql(url, `revoke insert on tapestry_base.bars from ${name}`)
      const revoked = yield* Effect.flip(store.commit(commit()))
      assert.strictEqual(revoked.reason._tag, "StoreTenantDenied")
      assert.match(revoked.message, /permission denied for table bars.*GRANT/)
      yield* sql(url, `grant insert on tapestry_base.bars to ${name}`)
      yield* sql(url, "alter table tapestry_base.bars enable row level security")
      yield* sql(url, "alter table tapestry_base.bars force row level security")
      yield* sql(url, "create policy small on tapestry_base.bars using (true) with check (close < 5)")
      const refused = yield* Effect.flip(store.commit(commit()))
      assert.strictEqual(refused.reason._tag, "StoreTenantDenied")
      assert.match(refused.message, /row-level security/)
      assert.strictEqual((yield* store.commit(commitOf(series, 2, rows(4)))).inserted, 4)
    })
  )

  it.live("the statement timeout, and a lock that is not had in time: StoreTimeout", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      yield* Effect.scoped(opened(url))
      const short = yield* Effect.provide(
        opened(url),
        ConfigProvider.layer(ConfigProvider.fromEnvRecord({ TAPESTRY_PG_STATEMENT_TIMEOUT: "1500" }))
      )
      yield* whenInserted(url, "answers", `${once} perform pg_sleep(60); end if;`)
      const slow = yield* Effect.flip(short.commit(commit()))
      assert.strictEqual(slow.reason._tag, "StoreTimeout")
      assert.match(slow.message, /statement timeout.*TAPESTRY_PG_STATEMENT_TIMEOUT/)
      assert.strictEqual((yield* short.commit(commit())).inserted, 10)

      yield* sql(url, `alter database ${new URL(url).pathname.slice(1)} set lock_timeout = '50ms'`)
      const store = yield* opened(url)
      const client = yield* other(url)
      const locked = yield* client.withTransaction(
        Effect.andThen(
          client.unsafe("lock table tapestry_base.bars in access exclusive mode").values,
          Effect.flip(store.commit(commit(2)))
        )
      )
      assert.strictEqual(locked.reason._tag, "StoreTimeout")
      assert.match(locked.message, /lock timeout.*pg_locks/)
    })
  )

  it.live("a constraint: its name, and which of the bars it was where the server says so", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const store = yield* opened(url)
      yield* sql(url, "alter table tapestry_base.bars add constraint small check (close < 8)")
      const checked = yield* Effect.flip(store.commit(commit()))
      assert.deepInclude(checked.reason, {
        _tag: "StoreConstraintViolation",
        constraint: "small",
        index: 7,
        ts: 7 * minute
      })
      assert.match(checked.message, /^row 7: .*the constraint small of table bars/)
      // Rows that are corrected go another way than new ones, which come in any order.
      yield* store.commit(commitOf(series, 1, rows(5)))
      const shuffled = [bar(minute, 9), bar(0, 1), bar(2 * minute, 1)]
      const corrected = yield* reasonOf(store.commit(commitOf(series, 2, shuffled)))
      assert.deepInclude(corrected, { _tag: "StoreConstraintViolation", index: 0, ts: minute })
      // Of two commits that have the stamp nobody knows which it was.
      const both = [commitOf(seriesOf("B"), 3, rows(9)), commitOf(seriesOf("C"), 3, rows(9))]
      const several = yield* reasonOf(store.commitAll(both))
      assert.deepInclude(several, { _tag: "StoreConstraintViolation", index: null, ts: 7 * minute })
      yield* sql(url, "alter table tapestry_base.bars drop constraint small")
      yield* sql(url, "create unique index no_twins on tapestry_base.bars (generation, close)")
      const twins = yield* reasonOf(store.commit(commitOf(seriesOf("D"), 4, [bar(0, 1), bar(minute, 1)])))
      assert.deepInclude(twins, { _tag: "StoreConstraintViolation", constraint: "no_twins", index: null, ts: null })
      assert.strictEqual(yield* store.count(series, everything), 5)
    })
  )

  it.live("a constraint on records: which of the rows it was, where one alone has the millisecond", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const layer = MarketStorePostgres.layer({ url: Redacted.make(url) })
      const store = yield* Effect.map(Layer.build(Layer.fresh(layer)), Context.get(RecordStore))
      yield* sql(url, "alter table tapestry_base.trades add constraint small check (price < 8)")
      const of = recordSeries("trade")
      const told = [trade(3_000_000n, 9), trade(1_000_000n, 1), trade(2_000_007n, 1)]
      const refused = yield* reasonOf(store.commit(recordsOf(of, 1, told)))
      assert.deepInclude(refused, { _tag: "StoreConstraintViolation", constraint: "small", index: 0, ts: 3 })
      const beside = [trade(3_000_001n, 1), ...told]
      const several = yield* reasonOf(store.commit(recordsOf(of, 2, beside)))
      assert.deepInclude(several, { _tag: "StoreConstraintViolation", index: null, ts: 3 })
      assert.strictEqual(yield* store.count(of, everything), 0)
      assert.deepInclude(yield* store.commit(recordsOf(of, 1, told.slice(1))), { inserted: 2, alreadyApplied: false })
    })
  )

  it.live("a server that is stopped: StoreUnavailable, and the next commit works when it runs again", () =>
    Effect.gen(function* () {
      const server = yield* postgres
      const url = yield* bareDatabase
      const store = yield* opened(url)
      server.kill()
      // The children of a server that was killed end a little later: until then they take commits.
      let id = 0
      const failed = yield* Effect.forever(Effect.suspend(() => store.commit(commit(++id)))).pipe(Effect.flip)
      assert.strictEqual(failed.reason._tag, "StoreUnavailable")
      yield* Effect.promise(server.restart)
      yield* store.commit(commit(++id))
      assert.strictEqual(yield* store.count(series, everything), 10)
    })
  )
})
