/**
 * Claim: a fresh fetch with its 10 kB archived durably runs at 2,500/s one by one and 6,000/s sixteen at a time, or 0.45 x
 * bare better-sqlite3 that hashes the same bytes and inserts them as BLOBs, each in a transaction of its own, WAL, FULL.
 */
import { hash } from "node:crypto"
import { join } from "node:path"
import Database from "better-sqlite3"
import * as Bench from "./support/archive.ts"

const count = 4_000
const payloads = Bench.makePayloads(count)

const bare = (): number => {
  const directory = Bench.temporary()
  const db = new Database(join(directory, "bare.sqlite"))
  db.pragma("journal_mode = WAL")
  db.pragma("synchronous = FULL")
  db.exec("create table payloads (sha256 blob primary key, body blob not null) strict")
  const insert = db.prepare("insert into payloads values (?, ?)")
  const started = performance.now()
  for (const payload of payloads) insert.run(hash("sha256", payload, "buffer"), payload)
  const perSecond = count / ((performance.now() - started) / 1000)
  db.close()
  Bench.discard(directory)
  return perSecond
}

const fetching = (atOnce: number): Promise<number> =>
  Bench.inSession(payloads, (session) =>
    Bench.rate(count, atOnce, (index) => session.fetch(Bench.request(index), Bench.options(index)))
  )

const measured = { bare: [] as number[], one: [] as number[], sixteen: [] as number[] }
for (let run = 0; run < Bench.runs; run++) {
  measured.bare.push(bare())
  measured.one.push(await fetching(1))
  measured.sixteen.push(await fetching(16))
}
const baseline = Bench.median(measured.bare)
Bench.report(
  "fresh fetch + archive of 10 kB, durable",
  [
    { what: "one by one", measured: Bench.median(measured.one), target: 2_500 },
    { what: "sixteen at a time", measured: Bench.median(measured.sixteen), target: 6_000 },
    { what: "baseline: bare insert of the same bytes", measured: baseline, target: null }
  ],
  baseline,
  0.45
)
