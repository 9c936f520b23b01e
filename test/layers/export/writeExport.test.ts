import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { rowBytes, rowsHeader } from "../../../src/domain/rowBytes.ts"
import { parseManifest } from "../../../src/layers/export/Manifest.ts"
import { checkPlace } from "../../../src/layers/export/wholeDirectory.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { fresh, hour } from "../stitching/support.ts"
import {
  answerOf,
  day,
  formats,
  noon,
  over,
  scratch,
  vendor,
  verifyAlone,
  verifyWithArchive,
  withFiles,
  write
} from "./support.ts"

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const manifestIn = (directory: string) =>
  Result.getOrThrow(parseManifest(readFileSync(join(directory, "manifest.json"), "utf8")))

describe("X10 writeExport", () => {
  for (const format of formats) {
    it.effect(`${format}: rows, manifest, receipts and sums, and the check of them with and without the archive`, () =>
      over(
        Effect.gen(function* () {
          const directory = join(scratch(), "out")
          const cache = yield* StitchingCache
          const series = vendor.series("ALPHA", "1h")
          yield* cache.read({ series, range: { start: day.start, end: day.start + 6 * hour } })
          const answers = [yield* answerOf("ALPHA"), yield* answerOf("BETA")]
          const written = yield* write({ answers, directory, format, lineage: true })
          const manifest = manifestIn(directory)
          assert.deepStrictEqual(manifest, written)
          assert.isTrue(manifest.complete)
          assert.deepStrictEqual(readdirSync(directory).sort(), [
            `ALPHA-1h.${format}`,
            `BETA-1h.${format}`,
            "SHA256SUMS",
            "manifest.json"
          ])
          const bars = yield* Stream.runCollect(vendorRows(series))
          const [alpha] = manifest.series
          assert.strictEqual(alpha?.file.rows, bars.length)
          assert.strictEqual(alpha?.file.sha256, sha256(readFileSync(join(directory, `ALPHA-1h.${format}`))))
          assert.strictEqual(
            alpha?.file.rowHash,
            createHash("sha256").update(rowsHeader).update(rowBytes(bars)).digest("hex")
          )
          assert.deepStrictEqual(
            alpha?.receipts.map(({ decoderVersion, response, rows, runs, status, vendor }) => ({
              decoderVersion,
              response,
              rows,
              runs: runs.map(({ rows }) => rows),
              status,
              vendor
            })),
            [
              { decoderVersion: 1, response: 1, rows: 6, runs: [6], status: "ok", vendor: "model" },
              { decoderVersion: 1, response: 2, rows: 18, runs: [18], status: "ok", vendor: "model" }
            ]
          )
          for (const check of [verifyAlone, verifyWithArchive]) {
            const report = yield* check(directory)
            assert.deepStrictEqual([report.problems, report.notes, report.rows], [[], [], 48])
          }
          assert.deepStrictEqual((yield* verifyWithArchive(directory)).archive, { responses: 3, rows: 48 })
        })
      )
    )
  }

  it.effect("a range with holes is written, and the manifest says what is not there", () => {
    const gap = ModelVendor.make({ symbols: ["ALPHA"], forbidden: ["OMEGA"] })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const directory = join(scratch(), "out")
      const cache = yield* StitchingCache
      const series = gap.series("ALPHA", "1h")
      yield* cache.read({ series, range: { start: day.start, end: day.start + 6 * hour } })
      const answer = yield* cache.read({ series, range: day, policy: "cacheOnly" }, { onMissing: "partial" })
      const refused = yield* cache.read({ series: gap.series("OMEGA", "1h"), range: day }, { onMissing: "partial" })
      const manifest = yield* write({ answers: [answer, refused], directory, format: "csv" })
      assert.isFalse(manifest.complete)
      assert.deepStrictEqual(
        manifest.series.map(({ complete, coverage, file }) => [
          complete,
          file.rows,
          coverage.map(({ status }) => status)
        ]),
        [
          [false, 6, ["Covered", "Missing"]],
          [false, 0, ["NotEntitled"]]
        ]
      )
      assert.strictEqual(manifest.series[1]?.receipts[0]?.status, "not_entitled")
      const report = yield* verifyWithArchive(directory)
      assert.deepStrictEqual([report.problems, report.complete], [[], false])
    }).pipe(Effect.provide(fresh(gap.adapter)), withFiles)
  })

  it.effect("as of an instant the rows are those that were known then", () => {
    const changing = ModelVendor.make({ corrections: [{ ...day, at: noon + hour }] })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = changing.series("ALPHA", "1h")
      yield* cache.read({ series, range: day }, { onMissing: "partial" })
      const root = scratch()
      const early = yield* cache.read({ series, range: day, policy: "cacheOnly" }, { onMissing: "partial", asOf: noon })
      yield* write({ answers: [early], asOf: noon, directory: join(root, "a"), format: "csv", lineage: true })
      yield* TestClock.adjust(48 * hour)
      const later = yield* cache.read({ series, range: day, policy: "force" }, { onMissing: "partial" })
      yield* write({ answers: [later], directory: join(root, "b"), format: "csv", lineage: true })
      const again = yield* cache.read({ series, range: day, policy: "cacheOnly" }, { onMissing: "partial", asOf: noon })
      const manifest = yield* write({
        answers: [again],
        asOf: noon,
        directory: join(root, "c"),
        format: "csv",
        lineage: true
      })
      const text = (name: string) => readFileSync(join(root, name, "ALPHA-1h.csv"), "utf8")
      assert.strictEqual(manifest.asOf, "2024-03-06T12:00:00.000Z")
      assert.deepStrictEqual(text("c"), text("a"))
      assert.notStrictEqual(text("b"), text("a"))
      assert.deepStrictEqual((yield* verifyWithArchive(join(root, "c"))).problems, [])
    }).pipe(Effect.provide(fresh(changing.adapter)), withFiles)
  })

  it.effect(
    "what is committed while rows are read makes the file be written anew, with rows and coverage of one moment",
    () =>
      over(
        Effect.gen(function* () {
          const directory = join(scratch(), "out")
          const cache = yield* StitchingCache
          const series = vendor.series("ALPHA", "1h")
          const answer = yield* answerOf("ALPHA")
          let passes = 0
          const manifest = yield* write({
            answers: [answer],
            directory,
            format: "csv",
            progress: () => {
              passes++
              return passes > 1
                ? Effect.void
                : Effect.orDie(
                    Effect.asVoid(
                      Effect.andThen(TestClock.adjust(1), cache.read({ series, range: day, policy: "force" }))
                    )
                  )
            }
          })
          assert.strictEqual(passes, 2)
          const [entry] = manifest.series
          assert.strictEqual(entry?.coverage[0]?.response, 2)
          assert.deepStrictEqual((yield* verifyWithArchive(directory)).problems, [])

          const restless = yield* Effect.flip(
            write({
              answers: [answer],
              directory: join(scratch(), "out"),
              format: "csv",
              progress: () =>
                Effect.orDie(
                  Effect.asVoid(
                    Effect.andThen(TestClock.adjust(1), cache.read({ series, range: day, policy: "force" }))
                  )
                )
            })
          )
          assert.strictEqual(restless.reason._tag, "SeriesUnsettled")
        })
      )
  )
})

describe("X10 the directory of an export is there whole or not at all", () => {
  it.effect("what is there is refused, an export is replaced when that is wanted, and nothing else ever is", () =>
    over(
      Effect.gen(function* () {
        const root = scratch()
        const directory = join(root, "out")
        const one = { answers: [yield* answerOf("ALPHA")], directory, format: "csv" } as const
        const other = { ...one, answers: [yield* answerOf("BETA")] }
        mkdirSync(directory)
        yield* write(one)
        const taken = yield* Effect.flip(write(other))
        assert.strictEqual(taken.reason._tag, "ExportExists")
        assert.include(taken.message, "--overwrite")
        yield* write({ ...other, overwrite: true })
        assert.isFalse(existsSync(join(directory, "ALPHA-1h.csv")))
        assert.deepStrictEqual((yield* verifyAlone(directory)).problems, [])

        const precious = join(root, "precious")
        mkdirSync(precious)
        writeFileSync(join(precious, "thesis.txt"), "ten years")
        const kept = yield* Effect.flip(write({ ...one, directory: precious, overwrite: true }))
        assert.strictEqual(kept.reason._tag, "ExportExists")
        writeFileSync(join(root, "file"), "")
        assert.strictEqual(
          (yield* Effect.flip(write({ ...one, directory: join(root, "file") }))).reason._tag,
          "ExportExists"
        )
        const nowhere = yield* Effect.flip(write({ ...one, directory: join(root, "no/such/place") }))
        assert.strictEqual(nowhere.reason._tag, "ExportNotWritten")
        assert.include(nowhere.message, "no such directory")
        // The command asks this before it fetches anything.
        const early = yield* Effect.flip(checkPlace(join(root, "no/such/place"), false))
        assert.include(early.message, "make it first")
        assert.include((yield* Effect.flip(checkPlace(join(root, "file/place"), false))).message, "make it first")
        yield* checkPlace(join(root, "new"), false)
        assert.deepStrictEqual(readdirSync(root).sort(), ["file", "out", "precious"])
        assert.deepStrictEqual(readdirSync(precious), ["thesis.txt"])
      })
    )
  )

  it.effect("an export that fails or is interrupted leaves nothing, and what was there before", () =>
    over(
      Effect.gen(function* () {
        const root = scratch()
        const directory = join(root, "out")
        const options = { answers: [yield* answerOf("ALPHA")], directory, format: "csv" } as const
        yield* Effect.exit(write({ ...options, progress: () => Effect.die(new Error("a bug")) }))
        assert.deepStrictEqual(readdirSync(root), [])
        const started = yield* Effect.forkChild(write({ ...options, progress: () => Effect.never }), {
          startImmediately: true
        })
        while (readdirSync(root).length === 0) yield* Effect.yieldNow
        assert.isFalse(existsSync(directory))
        yield* Fiber.interrupt(started)
        assert.deepStrictEqual(readdirSync(root), [])
        const before = yield* write(options)
        yield* Effect.exit(write({ ...options, overwrite: true, progress: () => Effect.die(new Error("a bug")) }))
        assert.deepStrictEqual(readdirSync(root), ["out"])
        assert.deepStrictEqual(manifestIn(directory), before)
      })
    )
  )

  it.effect("drafts that a dead process left are removed by the next export to that place", () =>
    over(
      Effect.gen(function* () {
        const root = scratch()
        // No process has this id: it is above the largest that Linux gives.
        mkdirSync(join(root, ".out.4999999.0123abcd.tmp"))
        mkdirSync(join(root, ".other.4999999.0123abcd.tmp"))
        yield* write({ answers: [yield* answerOf("ALPHA")], directory: join(root, "out"), format: "csv" })
        assert.deepStrictEqual(readdirSync(root).sort(), [".other.4999999.0123abcd.tmp", "out"])
      })
    )
  )
})

const vendorRows = (series: ReturnType<typeof vendor.series>) =>
  Stream.unwrap(Effect.map(MarketStore, (store) => store.bars(series, day)))
