import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import * as ReplayDeadLetters from "../../../src/layers/batch/replayDeadLetters.ts"
import { BatchProcessor } from "../../../src/services/BatchProcessor.ts"
import { type Importer, Imports, ImportsError } from "../../../src/services/Imports.ts"
import { InvalidRow, MarketStoreError, StoreUnavailable } from "../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { deadLettersOf, row, StoreSwitch, series, withProcessor } from "./support.ts"

const all = { start: 0, end: 1_000_000 }
const values = Effect.gen(function* () {
  const { rows } = yield* RecordStore
  const found = yield* Stream.runCollect(rows(series, all))
  return found.map((one) => ("value" in one ? one.value : null))
})

/** A file of `count` letters, made by a processor over a store that refuses every one of them. */
const given = (count: number) =>
  Effect.gen(function* () {
    const { submit } = yield* BatchProcessor
    const at = yield* StoreSwitch
    at.poison = "bad"
    yield* Effect.forEach(Array.from({ length: count }), (_, index) => Effect.exit(submit(row(index, "bad"))), {
      concurrency: "unbounded"
    })
    at.poison = null
  })

const replay = (file: string, imports: Importer<ImportsError>, progress = Effect.void) =>
  ReplayDeadLetters.replayDeadLetters({ imports, file, progress: () => progress }).pipe(
    Effect.provide(NodeFileSystem.layer)
  )

const refusing = (imports: Importer<ImportsError>, reason: InvalidRow | StoreUnavailable, text: string) => ({
  ...imports,
  segment: (...args: Parameters<typeof imports.segment>) =>
    new TextDecoder().decode(args[2].bytes).includes(text)
      ? Effect.fail(new ImportsError({ reason: new MarketStoreError({ reason }) }))
      : imports.segment(...args)
})

describe("replayDeadLetters", () => {
  it.effect("90: letters whose rows are committed leave the file, and a rerun finds none", () =>
    withProcessor({ maxRows: 64, maxAge: "1 hour" }, (layer, file) =>
      Effect.gen(function* () {
        yield* Effect.provide(given(200), layer)
        assert.strictEqual(deadLettersOf(file).length, 200)
        assert.deepStrictEqual(yield* values, [])
        const tally = yield* replay(file, yield* Imports)
        assert.deepInclude(tally, { letters: 200, inserted: 200, unchanged: 0, left: 0 })
        assert.deepStrictEqual(
          yield* values,
          Array.from({ length: 200 }, (_, index) => index)
        )
        assert.isFalse(existsSync(file))
        assert.isFalse(existsSync(`${file}.replaying`))
        assert.isTrue(Exit.isFailure(yield* Effect.exit(replay(file, yield* Imports))))
      })
    )
  )

  it.effect(
    "what is refused again stays with the reason of now and its first time, and lines that are no letters as they are",
    () =>
      withProcessor({ maxRows: 64, maxAge: "1 hour" }, (layer, file) =>
        Effect.gen(function* () {
          yield* Effect.provide(given(20), layer)
          const before = deadLettersOf(file)
          const infinite = readFileSync(file, "utf8").split("\n")[3]?.replace('"value":3', '"value":"three"') ?? ""
          appendFileSync(file, `what is this\n${infinite}\n`)
          const reason = new InvalidRow({ index: 0, ts: 0, message: "violates a rule of the database" })
          const tally = yield* replay(file, refusing(yield* Imports, reason, '"value":7,'))
          assert.deepInclude(tally, { letters: 22, inserted: 19, left: 3 })
          const [strange, ...letters] = readFileSync(file, "utf8").trimEnd().split("\n")
          assert.strictEqual(strange, "what is this")
          const left = letters.map((line) => JSON.parse(line))
          assert.deepStrictEqual(
            left.map(({ at, reason: why, row: of }) => [at, why, of.value]).sort(),
            [
              [before[7]?.at, "row 0: violates a rule of the database", 7],
              [before[3]?.at, "value is not a number: three", "three"]
            ].sort()
          )
        })
      )
  )

  it.effect("a store that goes away breaks it off: nothing is lost, and the next goes on from there", () =>
    withProcessor({ maxRows: 64, maxAge: "1 hour" }, (layer, file) =>
      Effect.gen(function* () {
        yield* Effect.provide(given(4_000), layer)
        // More than a segment, and letters of a second kind of trouble behind it.
        const text = readFileSync(file, "utf8")
        assert.isAbove(text.length, 640 * 1024)
        const away = new StoreUnavailable({ message: "the store is away" })
        const exit = yield* Effect.exit(replay(file, refusing(yield* Imports, away, '"value":3999,')))
        assert.isTrue(Exit.isFailure(exit))
        assert.isFalse(existsSync(file))
        assert.strictEqual(readFileSync(`${file}.replaying`, "utf8"), text)
        const some = (yield* values).length
        assert.isAbove(some, 0)
        assert.isBelow(some, 4_000)
        // Letters that come meanwhile begin a new file, which the next replay leaves alone until the old one is done.
        writeFileSync(file, `${text.split("\n")[0]?.replace('"value":0', '"value":5000')}\n`)
        const tally = yield* replay(file, yield* Imports)
        assert.deepInclude(tally, { letters: 4_000, left: 0 })
        assert.strictEqual((yield* values).length, 4_000)
        assert.strictEqual(deadLettersOf(file).length, 1)
      })
    )
  )

  it.effect("letters that somebody else wrote, spaced or in another order, are letters", () =>
    withProcessor({ maxRows: 64, maxAge: "1 hour" }, (layer, file) =>
      Effect.gen(function* () {
        yield* Effect.provide(given(3), layer)
        const [first, second, third] = deadLettersOf(file).map(({ at, kind, reason, row: of }) => ({
          row: of,
          reason,
          kind,
          at,
          seen: true
        }))
        writeFileSync(
          file,
          `${JSON.stringify(first)}\r\n${JSON.stringify(second, null, 1).replaceAll("\n", " ")}  \n${JSON.stringify(third)}`
        )
        assert.deepInclude(yield* replay(file, yield* Imports), { letters: 3, inserted: 3, left: 0 })
        assert.deepStrictEqual(yield* values, [0, 1, 2])
      })
    )
  )

  it.effect("letters that are being written while the file is renamed are found at its end", () =>
    withProcessor({ maxRows: 64, maxAge: "1 hour" }, (layer, file) =>
      Effect.gen(function* () {
        yield* Effect.provide(given(10), layer)
        const late = readFileSync(file, "utf8")
          .split("\n")[0]
          ?.replace(/"ts":"[^"]*"/, '"ts":"1970-01-01T00:00:00.900Z"')
        let once = true
        const progress = Effect.sync(() => {
          if (once) appendFileSync(`${file}.replaying`, `${late}\n`)
          once = false
        })
        const tally = yield* replay(file, yield* Imports, progress)
        assert.deepInclude(tally, { letters: 11, inserted: 11, left: 0 })
        assert.strictEqual((yield* values).length, 11)
      })
    )
  )
})
