/** A changed byte of any file of an export is found, and named. */
import { createHash } from "node:crypto"
import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import fc from "fast-check"
import { blockSums, changedByte } from "../../../src/layers/export/blockSums.ts"
import { parseManifest, sealed, sumsText } from "../../../src/layers/export/Manifest.ts"
import { hour } from "../stitching/support.ts"
import { answerOf, contents, day, formats, over, scratch, verifyAlone, verifyWithArchive, write } from "./support.ts"

/** The row (from 1) that holds a byte of a text file; null in the header. */
const rowAt = (format: "csv" | "ndjson", bytes: Uint8Array, at: number): number | null => {
  const before = bytes.subarray(0, at).filter((byte) => byte === 10).length
  return format === "ndjson" ? before + 1 : before === 0 ? null : before
}

/** Any change to another byte. */
const changed = (bytes: Uint8Array, at: number, difference: number): Uint8Array<ArrayBuffer> => {
  const copy = Uint8Array.from(bytes)
  copy[at] = ((copy[at] ?? 0) + difference) & 0xff
  return copy
}

describe("X10 damage", () => {
  it("the byte that was changed follows from the sums of its block, and more than one is never taken for one", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 2_000 }),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }),
        (bytes, changes) => {
          const sums = blockSums(bytes)
          let damaged = Uint8Array.from(bytes)
          for (const [at, difference] of changes) damaged = changed(damaged, at % bytes.length, difference)
          const places = Array.from(bytes.keys()).filter((at) => bytes[at] !== damaged[at])
          const [only = 0, ...more] = places
          const expected = places.length === 0 || more.length > 0 ? null : { offset: only, was: bytes[only] }
          assert.deepStrictEqual(changedByte(damaged, sums), expected)
        }
      ),
      { numRuns: 500 }
    )
  })

  for (const format of formats) {
    it.effect(
      `X10 ${format}: every byte of every file, changed, is found, and its file and row are named`,
      () =>
        over(
          Effect.gen(function* () {
            const directory = join(scratch(), "out")
            const manifest = yield* write({
              answers: [yield* answerOf("ALPHA", { start: day.start, end: day.start + 3 * hour })],
              directory,
              format,
              lineage: true
            })
            const [rows = ""] = manifest.series.map(({ file }) => file.name)
            const files = contents(directory)
            assert.deepStrictEqual(Array.from(files.keys()).sort(), [rows, "SHA256SUMS", "manifest.json"].sort())
            for (const [name, bytes] of files) {
              // The manifest is read the same way for every format, and each of its bytes takes a few milliseconds.
              if (name === "manifest.json" && format !== "csv") continue
              for (let at = 0; at < bytes.length; at++) {
                // Each bit in turn, so that small and large changes are among them.
                writeFileSync(join(directory, name), changed(bytes, at, 1 << (at & 7)))
                const { problems } = yield* verifyAlone(directory)
                assert.isAbove(problems.length, 0, `byte ${at} of ${name}`)
                assert.deepStrictEqual([...new Set(problems.map(({ file }) => file))], [name], `byte ${at} of ${name}`)
                if (name !== rows) continue
                assert.strictEqual(problems[0]?.byte, at)
                if (format !== "arrow") assert.strictEqual(problems[0]?.row, rowAt(format, bytes, at), `byte ${at}`)
              }
              writeFileSync(join(directory, name), bytes)
            }
            assert.deepStrictEqual((yield* verifyAlone(directory)).problems, [])
          })
        ),
      180_000
    )
  }

  it.effect("X10 no manifest with one changed bit is taken for whole, whichever bit it is", () =>
    over(
      Effect.gen(function* () {
        const directory = join(scratch(), "out")
        yield* write({ answers: [yield* answerOf("ALPHA")], directory, format: "arrow" })
        const bytes = readFileSync(join(directory, "manifest.json"))
        const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
        assert.isTrue(Result.isSuccess(parseManifest(utf8.decode(bytes))))
        for (let at = 0; at < bytes.length; at++) {
          for (let bit = 0; bit < 8; bit++) {
            const damaged = changed(bytes, at, 0)
            damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
            assert.isTrue(Result.isFailure(parseManifest(utf8.decode(damaged))), `bit ${bit} of byte ${at}`)
          }
        }
      })
    )
  )

  for (const format of formats) {
    it.effect(
      `X10 ${format}: random bytes of a large export are found, and the row is named, also against the archive`,
      () =>
        over(
          Effect.gen(function* () {
            const directory = join(scratch(), "out")
            const range = { start: day.start - 12 * 24 * hour, end: day.end }
            const manifest = yield* write({ answers: [yield* answerOf("ALPHA", range, "1m")], directory, format })
            const [entry] = manifest.series
            const name = entry?.file.name ?? ""
            assert.isAbove(entry?.file.rows ?? 0, 10_000)
            const bytes = readFileSync(join(directory, name))
            const places = fc.sample(fc.integer({ min: 0, max: bytes.length - 1 }), { numRuns: 20, seed: 7 })
            for (const [index, at] of places.entries()) {
              writeFileSync(join(directory, name), changed(bytes, at, 1 + (index % 255)))
              const check = index % 5 === 0 ? verifyWithArchive : verifyAlone
              const { problems } = yield* check(directory)
              assert.deepStrictEqual([problems[0]?.file, problems[0]?.byte], [name, at])
              if (format !== "arrow") assert.strictEqual(problems[0]?.row, rowAt(format, bytes, at))
            }
            // Several at once cannot be told apart; their block is named, and the archive names the rows.
            const several = places.slice(0, 3).reduce((damaged, at) => changed(damaged, at, 3), changed(bytes, 0, 0))
            writeFileSync(join(directory, name), several)
            assert.isTrue((yield* verifyWithArchive(directory)).problems.every(({ file }) => file === name))
            assert.isAbove((yield* verifyAlone(directory)).problems.length, 0)
          })
        )
    )
  }

  it.effect("missing files, extra ones, and files that are shorter or longer are named", () =>
    over(
      Effect.gen(function* () {
        const root = scratch()
        const original = join(root, "out")
        yield* write({
          answers: [yield* answerOf("ALPHA"), yield* answerOf("BETA")],
          directory: original,
          format: "csv"
        })
        const names = Array.from(contents(original).keys())
        const damaged = Effect.fnUntraced(function* (damage: (directory: string) => void) {
          const directory = join(root, "copy")
          rmSync(directory, { recursive: true, force: true })
          cpSync(original, directory, { recursive: true })
          damage(directory)
          return (yield* verifyAlone(directory)).problems.map(({ file, message }) => `${file}: ${message}`)
        })
        for (const name of names) {
          const found = yield* damaged((directory) => rmSync(join(directory, name)))
          assert.deepStrictEqual(found, [`${name}: it is missing`])
        }
        assert.deepStrictEqual(yield* damaged((directory) => mkdirSync(join(directory, "more"))), [
          "more: it is no part of the export"
        ])
        assert.deepStrictEqual(yield* damaged((directory) => truncateSync(join(directory, "BETA-1h.csv"), 100)), [
          `BETA-1h.csv: it ends after 100 bytes of ${contents(original).get("BETA-1h.csv")?.length}`
        ])
        const longer = yield* damaged((directory) =>
          writeFileSync(join(directory, "ALPHA-1h.csv"), `${readFileSync(join(directory, "ALPHA-1h.csv"), "utf8")}\n`)
        )
        assert.match(longer.join(), /^ALPHA-1h\.csv: it goes on after its \d+ bytes$/)
        const swapped = yield* damaged((directory) => {
          const alpha = readFileSync(join(directory, "ALPHA-1h.csv"))
          cpSync(join(directory, "BETA-1h.csv"), join(directory, "ALPHA-1h.csv"))
          writeFileSync(join(directory, "BETA-1h.csv"), alpha)
        })
        assert.isTrue(
          swapped.some((line) => line.startsWith("ALPHA-1h.csv")) &&
            swapped.some((line) => line.startsWith("BETA-1h.csv"))
        )
        const nothing = yield* Effect.flip(verifyAlone(root))
        assert.strictEqual(nothing.reason._tag, "ExportUnreadable")
        assert.strictEqual((yield* Effect.flip(verifyAlone(join(root, "nowhere")))).reason._tag, "ExportUnreadable")
      })
    )
  )

  it.effect(
    "a row that was changed together with every hash of the export is found by the archive, and by it alone",
    () =>
      over(
        Effect.gen(function* () {
          const directory = join(scratch(), "out")
          yield* write({ answers: [yield* answerOf("ALPHA")], directory, format: "csv" })
          const forged = join(scratch(), "forged")
          const text = readFileSync(join(directory, "ALPHA-1h.csv"), "utf8")
          const lines = text.split("\n")
          const fields = lines[5]?.split(",") ?? []
          lines[5] = fields.with(5, String(Number(fields[5]) + 1)).join(",")
          yield* forge(directory, forged, lines.join("\n"))
          assert.deepStrictEqual((yield* verifyAlone(forged)).problems, [])
          const { archive, problems } = yield* verifyWithArchive(forged)
          assert.deepStrictEqual(archive, { responses: 1, rows: 24 })
          assert.deepStrictEqual(problems, [
            {
              file: "ALPHA-1h.csv",
              row: 5,
              byte: null,
              message: `line 6: its volume is ${Number(fields[5]) + 1}, and response 1 has ${fields[5]}`
            }
          ])
        })
      )
  )
})

/** An export whose rows say something else, and all of whose hashes are right. */
const forge = Effect.fnUntraced(function* (from: string, to: string, text: string) {
  const FileTally = yield* Effect.promise(() => import("../../../src/layers/export/FileTally.ts"))
  const { barRows } = yield* Effect.promise(() => import("../../../src/layers/export/barRows.ts"))
  const TextRows = yield* Effect.promise(() => import("../../../src/layers/export/TextRows.ts"))
  const manifest = Result.getOrThrow(parseManifest(readFileSync(join(from, "manifest.json"), "utf8")))
  const [entry] = manifest.series
  if (entry === undefined) return yield* Effect.die(new Error("no series"))
  const codec = TextRows.csv(false)
  const tally = FileTally.make(barRows(entry.series))
  const body = new TextEncoder().encode(text).subarray(codec.head.length)
  tally.add(codec.head, [])
  tally.add(
    body,
    Result.getOrThrow(Result.mapError(codec.decode(body), ({ what }) => what)).map(({ row }) => row)
  )
  const { self: _, ...rest } = manifest
  const whole = sealed({ ...rest, series: [{ ...entry, file: tally.file(entry.file.name) }] })
  mkdirSync(to, { recursive: true })
  writeFileSync(join(to, entry.file.name), text)
  writeFileSync(join(to, "manifest.json"), whole.text)
  const sum = createHash("sha256").update(whole.text).digest("hex")
  writeFileSync(join(to, "SHA256SUMS"), sumsText(whole.manifest, sum))
})
