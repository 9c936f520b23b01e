/**
 * Claim: a fetch that the archive answers, its 10 kB verified by sha256 and the hit recorded, runs at 8,000/s one by one and
 * 15,000/s sixteen at a time. Baseline: bare better-sqlite3 that reads the same BLOBs by key and hashes them.
 */
import { hash } from "node:crypto"
import { join } from "node:path"
import Database from "better-sqlite3"
import { Effect } from "effect"
import * as Bench from "./support/archive.ts"

const stored = 1_000
const count = 20_000
const payloads = Bench.makePayloads(stored)

const bare = (): number => {
  const directory = Bench.temporary()
  const db = new Database(join(directory, "bare.sqlite"))
  db.pragma("journal_mode = WAL")
  db.exec("create table payloads (id integer primary key, sha256 text not null, body blob not null) strict")
  const insert = db.prepare("insert into payloads (sha256, body) values (?, ?)")
  for (const payload of payloads) insert.run(hash("sha256", payload), payload)
  const select = db.prepare<[number], { sha256: string; body: Uint8Array }>(
    "select sha256, body from payloads where id = ?"
  )
  const started = performance.now()
  for (let index = 0; index < count; index++) {
    const row = select.get((index % stored) + 1)
    if (row === undefined || hash("sha256", row.body) !== row.sha256) throw new Error("the baseline read other bytes")
  }
  const perSecond = count / ((performance.now() - started) / 1000)
  db.close()
  Bench.discard(directory)
  return perSecond
}

const cached = (atOnce: number): Promise<number> =>
  Bench.inSession(payloads, (session) =>
    Effect.andThen(
      Bench.rate(stored, 16, (index) => session.fetch(Bench.request(index), Bench.options(index))),
      Bench.rate(count, atOnce, (index) => session.fetch(Bench.request(index % stored), Bench.options(index % stored)))
    )
  )

const measured = { bare: [] as number[], one: [] as number[], sixteen: [] as number[] }
for (let run = 0; run < Bench.runs; run++) {
  measured.bare.push(bare())
  measured.one.push(await cached(1))
  measured.sixteen.push(await cached(16))
}
const baseline = Bench.median(measured.bare)
Bench.report(
  "cached fetch of 10 kB, bytes verified, hit recorded",
  [
    { what: "one by one", measured: Bench.median(measured.one), target: 8_000 },
    { what: "sixteen at a time", measured: Bench.median(measured.sixteen), target: 15_000 },
    { what: "baseline: bare read of the same bytes", measured: baseline, target: null }
  ],
  baseline,
  null
)
