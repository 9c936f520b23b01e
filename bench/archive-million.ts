/**
 * Claim: with a million requests in the archive it opens in 0.6 s, a lookup by identity takes 1 ms (p99 of 1,000 random ones, bytes
 * decoded and hashed), `stats` takes 1 s, and a gc that removes nine in ten of the answers takes 30 s and never holds the event loop for
 * 20 ms. A dry gc takes 30 s, too. Medians of five, each time of the bare question and of ours in turn; the gc is applied once.
 *
 * Run: `npm run bench -- archive-million`; it takes some minutes and 3 GB below the temporary directory. The rows are written in bulk,
 * as the archive itself would have: of a hundred calls eighty ask something new, ten ask again past the archive, ten are hits.
 * Baseline: bare better-sqlite3 with the same question to the very same file (for the gc: to a copy of it, in one transaction). A hold is
 * what the event loop was late by, so other programs on the machine add to it.
 */
import { copyFileSync } from "node:fs"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import Database from "better-sqlite3"
import { Effect, Layer, Stream } from "effect"
import { identityText } from "../src/domain/CanonicalJson.ts"
import { ResponseId } from "../src/domain/Response.ts"
import { encodeSync, encodingCode } from "../src/layers/provenance/compression.ts"
import { sha256Hex } from "../src/layers/provenance/digest.ts"
import * as ProvenanceStoreSqlite from "../src/layers/provenance/ProvenanceStoreSqlite.ts"
import { ProvenanceStore } from "../src/services/ProvenanceStore.ts"
import * as Bench from "./support/archive.ts"

const calls = Number(process.argv[2] ?? 1_000_000)
const perSession = 1_000
const day = 86_400_000
const from = Date.now() - 400 * day
const lookups = 1_000
const runs = 5
const directory = Bench.temporary()
const filename = join(directory, "provenance.sqlite")

const since = (started: number): number => performance.now() - started

const withStore = <A, E>(use: (store: ProvenanceStore["Service"]) => Effect.Effect<A, E>) => {
  const started = performance.now()
  return Effect.runPromise(
    Effect.gen(function* () {
      const store = yield* ProvenanceStore
      return { opened: since(started), value: yield* use(store) }
    }).pipe(
      Effect.provide(
        ProvenanceStoreSqlite.layer({ directory }).pipe(
          Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
        )
      )
    )
  )
}

const identityOf = (index: number) => {
  const range = { from: 1_600_000_000_000 + index * 60_000, to: 1_600_000_000_000 + (index + 1) * 60_000 }
  const params = { symbol: `S${index % 200}`, timeframe: "1m", ...range }
  const identity = {
    source: "bench",
    kind: "bars",
    method: "GET",
    params,
    body: null,
    bucket: null,
    cacheTag: null
  } as const
  const text = identityText(identity)
  if (text._tag === "Failure") throw new Error(text.failure)
  return { params: JSON.stringify(params), hash: Buffer.from(sha256Hex(text.success), "hex") }
}

/** About 700 bytes of CSV. */
const bodyOf = (index: number): Uint8Array => {
  const lines = ["ts,open,high,low,close,volume"]
  for (let row = 0; row < 12; row++) {
    const price = (100 + ((index * 7_919 + row * 104_729) % 10_000) / 100).toFixed(2)
    lines.push(
      `${1_600_000_000_000 + index * 60_000 + row},${price},${price},${price},${price},${(index * 31 + row) % 9_973}`
    )
  }
  return Buffer.from(lines.join("\n"))
}

const metadata =
  '{"adapter":{},"contentType":"text/csv","elapsedMillis":12,"encoding":null,"headers":{"date":"Mon, 02 Nov 2026 10:00:00 GMT"},"transportStatus":200,"url":"https://vendor.example/v1/bars"}'

const build = (): number => {
  const db = new Database(filename)
  db.pragma("synchronous = OFF")
  db.pragma("cache_size = -524288")
  const add = (sql: string) => db.prepare(sql)
  const addSeries = add("insert into series (key) values (?)")
  for (let symbol = 0; symbol < 200; symbol++) addSeries.run(`v1/bench/-/S${symbol}/bar/1m/trade/regular/USD/raw`)
  const session = add(
    "insert into sessions (source, mode, started_at, ended_at, outcome, pid, process_start) values ('bench', 'sync', ?, ?, 'ok', 1, '')"
  )
  const identity = add(
    "insert into identities (sha256, source, kind, method, params_json, body_json) values (?, 'bench', 'bars', 'GET', ?, 'null')"
  )
  const payload = add("insert into payloads (sha256, size, body, encoding) values (?, ?, ?, ?)")
  const request = add(
    `insert into requests (session, identity, series, range_start, range_end, mode, created_at, outcome, response)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`
  )
  const response = add(
    `insert into responses (request, identity, series, attempt, status, payload, size, asked_at, fetched_at, waited, metadata)
     values (?, ?, ?, 1, 'ok', ?, ?, ?, ?, 0, ?)`
  )
  const served = add("update requests set response = ? where id = ?")
  const newest: Array<number | bigint> = []
  for (let done = 0; done < calls; done += perSession) {
    db.transaction(() => {
      const at = from + (done / calls) * 300 * day
      const run = session.run(at, at + perSession).lastInsertRowid
      for (let call = done; call < Math.min(calls, done + perSession); call++) {
        const turn = call % 10
        const fresh = turn < 8 || newest.length === 0
        const asked = fresh ? newest.length : (call * 7_919) % newest.length
        const series = (asked % 200) + 1
        const start = 1_600_000_000_000 + asked * 60_000
        const subject = [series, start, start + 60_000] as const
        const made = Math.floor(at) + call - done
        if (!fresh && turn === 9) {
          request.run(run, asked + 1, ...subject, "default", made, "hit", newest[asked])
          continue
        }
        if (fresh) {
          const { hash, params } = identityOf(asked)
          identity.run(hash, params)
        }
        const body = bodyOf(call)
        const kept = encodeSync(body)
        const bytes = payload.run(
          Buffer.from(sha256Hex(body), "hex"),
          body.byteLength,
          kept.bytes,
          encodingCode(kept.encoding)
        )
        const id = request.run(
          run,
          asked + 1,
          ...subject,
          fresh ? "default" : "bypass",
          made,
          "fetched",
          null
        ).lastInsertRowid
        const answer = response.run(id, asked + 1, series, bytes.lastInsertRowid, body.byteLength, made, made, metadata)
        served.run(answer.lastInsertRowid, id)
        newest[asked] = answer.lastInsertRowid
      }
    })()
  }
  db.pragma("wal_checkpoint(TRUNCATE)")
  db.close()
  return newest.length
}

const at = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.floor(sorted.length * share)] ?? Number.NaN
const ordered = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)

const bareLookup = `select r.*, p.sha256, p.body from responses r left join payloads p on p.id = r.payload
   where r.identity = (select id from identities where sha256 = ?) and r.status = 'ok'
   order by r.fetched_at desc, r.id desc limit 1`

/** The same questions to the file itself. */
const bare = {
  open: (): number => {
    const started = performance.now()
    const db = new Database(filename)
    db.pragma("journal_mode = WAL")
    db.prepare("select max(id) from responses").get()
    const took = since(started)
    db.close()
    return took
  },
  stats: (): number => {
    const db = new Database(filename, { readonly: true })
    const started = performance.now()
    db.prepare(
      `select (select count(*) from sessions), (select count(*) from requests), (select count(*) from requests where outcome = 'hit'),
       (select count(*) from responses), (select count(*) from responses where status <> 'ok'),
       (select sum(size) from responses where payload is not null), (select count(*) from payloads),
       (select sum(size) from payloads), (select sum(length(body)) from payloads)`
    ).get()
    const took = since(started)
    db.close()
    return took
  },
  /** Deletes by SQL what a gc that keeps every tenth response takes away, and closes the gaps in one go. */
  gc: (): number => {
    const copy = join(directory, "copy.sqlite")
    copyFileSync(filename, copy)
    const db = new Database(copy)
    db.pragma("foreign_keys = OFF")
    db.pragma("journal_mode = WAL")
    const started = performance.now()
    db.transaction(() => {
      db.exec("delete from responses where id % 10 <> 1")
      db.exec("delete from requests where response is null or response % 10 <> 1 or outcome = 'hit'")
      db.exec("delete from payloads where id not in (select payload from responses)")
      db.exec("delete from identities where id not in (select identity from responses)")
      db.exec("delete from sessions where id not in (select session from requests)")
    })()
    db.pragma("wal_checkpoint(TRUNCATE)")
    const took = since(started)
    db.close()
    return took
  }
}

interface Figure {
  readonly what: string
  readonly took: number
  readonly target: number
  readonly baseline: number | null
}

const seconds = (millis: number) => (millis < 100 ? `${millis.toFixed(3)} ms` : `${(millis / 1000).toFixed(2)} s`)

const print = (figures: ReadonlyArray<Figure>): void => {
  console.log(`an archive of ${calls.toLocaleString("en-US")} requests; baseline: bare better-sqlite3`)
  for (const { baseline, target, took, what } of figures) {
    const compared =
      baseline === null ? "" : `   baseline ${seconds(baseline)}   ${(took / baseline).toFixed(2)} x baseline`
    const verdict = took <= target ? "holds" : "misses"
    console.log(`  ${what.padEnd(40)}${seconds(took).padStart(12)}   target ${seconds(target)}   ${verdict}${compared}`)
  }
}

try {
  await withStore(() => Effect.void)
  const building = performance.now()
  const asked = build()
  console.log(`built in ${(since(building) / 1000).toFixed(0)} s`)
  // The sums of an archive that has grown by itself stand at its end; here the first writer moves them there.
  await withStore(() =>
    Effect.promise(async () => {
      const db = new Database(filename, { readonly: true })
      const behind = db.prepare("select up_to_response < (select max(id) from responses) from tallies").pluck()
      while (behind.get() === 1) await new Promise((resolve) => setTimeout(resolve, 50))
      db.close()
    })
  )
  const picked = Array.from({ length: lookups }, (_, index) => identityOf((index * 104_729 + 17) % asked).hash)
  const opens = []
  for (let run = 0; run < runs; run++) {
    opens.push({ bare: bare.open(), ours: (await withStore(() => Effect.void)).opened })
  }
  const bareGc = bare.gc()
  const { value } = await withStore((store) =>
    Effect.gen(function* () {
      const db = new Database(filename, { readonly: true })
      const ask = db.prepare(bareLookup)
      const looks = []
      const stats = []
      for (let run = 0; run < runs; run++) {
        const took = { bare: [] as number[], ours: [] as number[] }
        for (const hash of picked) {
          const asking = performance.now()
          ask.get(hash)
          took.bare.push(since(asking))
          const started = performance.now()
          const found = yield* store.lookup(hash.toString("hex"), 0)
          took.ours.push(since(started))
          if (found === null) return yield* Effect.die(new Error("an identity that was archived is not found"))
        }
        looks.push({ bare: ordered(took.bare), ours: ordered(took.ours) })
        const stating = performance.now()
        yield* store.stats
        stats.push({ bare: bare.stats(), ours: since(stating) })
      }
      db.close()
      const kept = Array.from({ length: Math.ceil(calls / 10) }, (_, index) => ResponseId.make(index * 10 + 1))
      const collect = Effect.fnUntraced(function* (apply: boolean) {
        const held = monitorEventLoopDelay({ resolution: 1 })
        held.enable()
        const started = performance.now()
        const report = yield* store.gc({
          retention: { age: 0, ages: {}, bytes: null, source: null },
          apply,
          referenced: Stream.fromIterable(kept).pipe(Stream.rechunk(10_000))
        })
        const gc = since(started)
        held.disable()
        return { gc, held: held.max / 1e6, mostly: held.percentile(99.9) / 1e6, report }
      })
      const dry = yield* Effect.forEach(Array.from({ length: runs }), () => collect(false))
      const applied = yield* collect(true)
      console.log(JSON.stringify(applied.report))
      return { looks, stats, dry, applied }
    })
  )
  const { applied, dry, looks, stats } = value
  const compared = (
    what: string,
    target: number,
    of: ReadonlyArray<{ readonly bare: number; readonly ours: number }>
  ) => ({
    what,
    took: Bench.median(of.map(({ ours }) => ours)),
    target,
    baseline: Bench.median(of.map((one) => one.bare))
  })
  const share = (of: number) => looks.map((one) => ({ bare: at(one.bare, of), ours: at(one.ours, of) }))
  print([
    compared("open", 600, opens),
    compared("lookup by identity, p50", 1, share(0.5)),
    compared("lookup by identity, p99", 1, share(0.99)),
    compared("stats", 1_000, stats),
    { what: "gc, dry", took: Bench.median(dry.map(({ gc }) => gc)), target: 30_000, baseline: null },
    { what: "gc of nine in ten answers", took: applied.gc, target: 30_000, baseline: bareGc },
    {
      what: "longest hold of the loop, dry",
      took: Bench.median(dry.map(({ held }) => held)),
      target: 20,
      baseline: null
    },
    { what: "longest hold of the loop, applied", took: applied.held, target: 20, baseline: null },
    { what: "hold of 999 in 1,000 turns, applied", took: applied.mostly, target: 20, baseline: null }
  ])
} finally {
  Bench.discard(directory)
}
