/**
 * Claim: a commit of bars, with coverage, lineage and revisions on, does 350,000 rows a second and at least 0.3 times what a
 * bare better-sqlite3 upsert does, and never holds the event loop longer than 20 ms (COMMIT and checkpoints included).
 *
 * Run: `npm run bench -- commit-bars`. Baseline: single-row upserts of the same bars, in one transaction, into a table of the
 * same key without lineage, WAL, synchronous NORMAL. All figures are medians of five runs, each on a database of its own.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "better-sqlite3"
import { Effect } from "effect"
import type { Bar } from "../src/domain/Bar.ts"
import { ResponseId } from "../src/domain/Response.ts"
import * as MarketStoreSqlite from "../src/layers/market/MarketStoreSqlite.ts"
import { type Commit, MarketStore } from "../src/services/MarketStore.ts"
import { barsOf, minute, series, start } from "./support/esMinutes.ts"

const rows = 250_000
const runs = 5

const positions = Array.from({ length: rows }, (_, index) => index + 2)

const commitOf = (id: number, bars: ReadonlyArray<Bar>): Commit => ({
  series,
  response: ResponseId.make(id),
  fetchedAt: start + id,
  decoderVersion: 1,
  bars,
  positions,
  coverage: [{ start, end: start + rows * minute, state: { _tag: "Covered", response: ResponseId.make(id) } }]
})

const fresh = barsOf(rows)
const corrected = barsOf(rows, (index) => (index % 20 === 0 ? 0.25 : 0))

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const inTemporaryFile = async <A>(use: (filename: string) => A | Promise<A>): Promise<A> => {
  const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-"))
  const result = await use(join(directory, "market.sqlite"))
  rmSync(directory, { recursive: true, force: true })
  return result
}

/** Seconds that a bare upsert of all rows takes. */
const bare = (filename: string): number => {
  const db = new Database(filename)
  db.pragma("journal_mode = WAL")
  db.pragma("synchronous = NORMAL")
  db.exec(`create table bars (series integer not null, ts integer not null, open real not null, high real not null,
    low real not null, close real not null, volume real, vwap real, count real, primary key (series, ts)) strict, without rowid`)
  const upsert = db.prepare(`insert into bars values (?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (series, ts) do update set open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, volume = excluded.volume, vwap = excluded.vwap, count = excluded.count`)
  const begun = performance.now()
  db.transaction(() => {
    for (const bar of fresh) {
      upsert.run(1, bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.count)
    }
  })()
  const seconds = (performance.now() - begun) / 1_000
  db.close()
  return seconds
}

/** The longest time between two turns of the event loop while `effect` runs, in milliseconds, and the seconds it took. */
const watched = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    // The turn before may still be paying for the garbage of the one before that.
    yield* Effect.sleep("50 millis")
    let last = performance.now()
    let longest = 0
    let watching = true
    const turn = () => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
      if (watching) setImmediate(turn)
    }
    setImmediate(turn)
    const begun = performance.now()
    yield* effect
    const seconds = (performance.now() - begun) / 1_000
    // Checkpoints follow the commit.
    yield* Effect.sleep("100 millis")
    watching = false
    return { seconds, longest }
  })

interface Measured {
  readonly seconds: number
  readonly longest: number
}

const ours = (filename: string): Promise<ReadonlyArray<Measured>> =>
  Effect.gen(function* () {
    const store = yield* MarketStore
    return [
      yield* watched(store.commit(commitOf(1, fresh))),
      yield* watched(store.commit(commitOf(2, fresh))),
      yield* watched(store.commit(commitOf(3, corrected)))
    ]
  }).pipe(Effect.provide(MarketStoreSqlite.layer({ filename })), Effect.runPromise)

const baseline: Array<number> = []
const measured: Array<ReadonlyArray<Measured>> = []
for (let run = 0; run < runs; run++) {
  baseline.push(await inTemporaryFile(bare))
  measured.push(await inTemporaryFile(ours))
}

const perSecond = (seconds: number) => Math.round(rows / seconds)
const base = perSecond(median(baseline))
const titles = ["fresh rows", "the same rows again", "one row in 20 corrected"]
const table = titles.map((title, index) => {
  const rate = perSecond(median(measured.map((run) => run[index]?.seconds ?? Number.NaN)))
  return {
    commit: `${rows.toLocaleString("en")} rows: ${title}`,
    "rows/s": rate,
    "ratio to bare": Number((rate / base).toFixed(2)),
    "longest hold, ms": Number(median(measured.map((run) => run[index]?.longest ?? Number.NaN)).toFixed(1)),
    "worst of five, ms": Number(Math.max(...measured.map((run) => run[index]?.longest ?? Number.NaN)).toFixed(1))
  }
})
console.table([{ commit: "bare upsert", "rows/s": base, "ratio to bare": 1 }, ...table])
const holds = table.every(
  (row) => row["rows/s"] >= 350_000 && row["ratio to bare"] >= 0.3 && row["longest hold, ms"] <= 20
)
console.log(`claim (350,000 rows/s, 0.3 x bare, hold 20 ms): ${holds ? "holds" : "DOES NOT HOLD"}`)
process.exitCode = holds ? 0 : 1
