/** A market.sqlite of an earlier release, brought up to date, says what it would have said had it been made by this one. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Layer } from "effect"
import fc from "fast-check"
import type { Answer } from "../../../src/layers/market/GenerationTables.ts"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import { tableOf } from "../../../src/layers/market/records/recordCells.ts"
import { Skyline } from "../../../src/layers/market/Skyline.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { everything, seriesOf } from "../../services/market/commits.ts"
import { checkAgainstModel, randomCommits } from "../../services/market/randomCommits.ts"

const cases = 150

/** Back to schema 4, whose `coverage` had the newest answer at each instant, refusals among them. */
const toSchema4 = (filename: string) => {
  const database = new Database(filename)
  const answers = database
    .prepare(
      `select generation, start_ts as start, end_ts as end, state as code, until, fetched_at as fetchedAt, response,
        decoder_version as decoderVersion from answers order by start_ts`
    )
    .all() as ReadonlyArray<Answer & { readonly generation: number }>
  const insert = database.prepare("insert into coverage values (?, ?, ?, ?, ?, ?, ?, ?, 1)")
  const later = [
    "refusals",
    ...Object.values(tableOf),
    "record_revisions",
    "record_echoes",
    "jobs",
    "job_runs",
    "tenants",
    "api_config"
  ]
  database.exec(`${later.map((table) => `drop table ${table};`).join(" ")} drop index applied_by_time;
    alter table generations drop column cuts; alter table generations drop column cut_before;
    delete from coverage; delete from migration_checksums where id > 4; delete from migrations where migration_id > 4`)
  for (const generation of new Set(answers.map((answer) => answer.generation))) {
    const skyline = new Skyline(answers.filter((answer) => answer.generation === generation))
    for (const piece of skyline.next(Number.POSITIVE_INFINITY)) {
      const { code, decoderVersion, end, fetchedAt, response, start, until } = piece
      insert.run(generation, start, end, code, until, fetchedAt, response, decoderVersion)
    }
  }
  const refused = database.prepare("select count(*) from coverage where state in (4, 5)").pluck().get()
  database.close()
  return refused as number
}

const piecesOf = (filename: string) => {
  const database = new Database(filename, { readonly: true })
  const columns = "generation, start_ts, end_ts, state, until, fetched_at, response, decoder_version"
  const pieces = ["coverage", "refusals"].map((table) =>
    database.prepare(`select ${columns} from ${table} order by generation, start_ts`).raw().all()
  )
  database.close()
  return pieces
}

describe("migrations of market.sqlite", () => {
  it.effect("5: what a refusal had hidden is there again, whole, and the refusal beside it", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-market-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      const filename = join(directory, "market.sqlite")
      const samples = fc.sample(randomCommits, { numRuns: cases, seed: 5 })
      const stored = <A, E>(effect: Effect.Effect<A, E, MarketStore>) =>
        Effect.provide(effect, Layer.fresh(MarketStoreSqlite.layer({ filename })))
      const coverages = MarketStore.use((store) =>
        Effect.forEach(samples, (_, index) => store.coverage(seriesOf(`case ${index}`), everything))
      )
      const before = yield* stored(
        Effect.andThen(
          Effect.forEach(samples, (sample, index) => checkAgainstModel(seriesOf(`case ${index}`), sample)),
          coverages
        )
      )
      const [covered] = piecesOf(filename)
      assert.isAbove(toSchema4(filename), cases / 10)
      assert.deepStrictEqual(yield* stored(coverages), before)
      assert.deepStrictEqual(piecesOf(filename)[0], covered)
      assert.isAbove(before.flat().filter(({ refusal }) => refusal !== undefined).length, cases / 10)
    })
  )
})
