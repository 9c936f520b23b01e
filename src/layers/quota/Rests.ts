/**
 * Accounts that their vendors asked to be left alone, and until when. It is kept in the log's file and in its time, so that
 * neither a restart nor a clock that is set forgets it. A later word never shortens an earlier one.
 */
import { Effect } from "effect"
import { Pacing, type QuotaError } from "../../services/Quota.ts"
import type { SqliteDatabase, SqliteFailure } from "../sqlite/SqliteDatabase.ts"
import type { LogClock } from "./LogClock.ts"
import { failed } from "./quotaErrors.ts"

/** What a request waits for that comes while its account rests. */
const window = "the rest that the vendor asked for"

export interface Rests {
  /** How many milliseconds of an account's rest are left; 0 when it does not rest. */
  readonly left: (account: string) => number
  readonly begin: (account: string, millis: number) => Effect.Effect<void, SqliteFailure>
  /** Waits for the end of a rest that is no longer than `patience`; fails with Pacing at once where it is. */
  readonly over: (account: string, patience: number) => Effect.Effect<void, QuotaError>
}

export const make = Effect.fnUntraced(function* (database: SqliteDatabase, log: LogClock) {
  const saved = yield* database.read("Quota.rests", (db) => db.prepare("select account, until from rests").all())
  const until = new Map(saved.map(([account, at]) => [String(account), Number(at)]))

  const left: Rests["left"] = (account) => {
    const end = until.get(account)
    if (end === undefined) return 0
    const millis = Math.ceil(end - log.now())
    if (millis <= 0) until.delete(account)
    return Math.max(0, millis)
  }

  const begin: Rests["begin"] = (account, millis) =>
    Effect.suspend(() => {
      const end = Math.ceil(log.now() + millis)
      if (!(millis > 0) || (until.get(account) ?? 0) >= end) return Effect.void
      until.set(account, end)
      return database.write("Quota.rest", (db) => {
        db.prepare(
          `insert into rests (account, until) values (?, ?)
           on conflict (account) do update set until = excluded.until where excluded.until > rests.until`
        ).run(account, end)
      })
    })

  const over: Rests["over"] = (account, patience) =>
    Effect.suspend(() => {
      const rest = left(account)
      if (rest === 0) return Effect.void
      return rest > patience
        ? failed(new Pacing({ account, window, retryAfter: rest }))
        : Effect.andThen(Effect.sleep(rest), over(account, patience))
    })

  return { left, begin, over } satisfies Rests
})
