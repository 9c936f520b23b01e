/** Imports over the real archive and store. Titles begin with the rows of the capability list that they show. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import type { Bar } from "../../../src/domain/Bar.ts"
import type { AnyRecord, RecordSeries } from "../../../src/domain/records/RecordKind.ts"
import { RecordKind } from "../../../src/domain/records/RecordKind.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { recordsArrow } from "../../../src/layers/export/RecordsArrow.ts"
import { recordsText } from "../../../src/layers/export/RecordsText.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { type ImportedRows, type ImportKind, type ImportSpec, Imports } from "../../../src/services/Imports.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { bar, collect, everything, seriesOf } from "../../services/market/commits.ts"
import { recordSeries, recordsOf, samples, trade } from "../../services/records/commits.ts"
import { fresh, freshPostgres, importing, specOf } from "./support.ts"

const acme = { vendor: "acme", session: "regular" } as const
const trades: RecordSeries<"trade"> = { ...recordSeries("trade"), vendor: "acme" }

describe("imports", () => {
  it.effect("71, C13: a text is archived as it is, and each row names the line that it came from", () =>
    Effect.gen(function* () {
      const text =
        '\n# a comment\n{"tsNs":"5","price":1.5,"sequence":3}\n\n{"ts":"1970-01-01T00:00:00.000000006Z","price":"2.5"}\n'
      const tally = yield* importing(text)
      assert.deepInclude(tally, { rows: 2, inserted: 2, rejected: 0, bytes: text.length })
      const rows = yield* collect((yield* RecordStore).storedRows(trades, everything))
      assert.deepStrictEqual(
        rows.map(({ lineage, row }) => [row.tsNs, row.price, row.sequence, lineage.position]),
        [
          [5n, 1.5, 3, 3],
          [6n, 2.5, null, 5]
        ]
      )
      const archive = yield* ProvenanceStore
      const [response] = yield* archive.responses({ limit: 1 })
      assert.strictEqual(rows[0]?.lineage.response, response?.id)
      assert.strictEqual(Buffer.from(yield* archive.payload(response?.sha256 ?? "")).toString(), text)
      const [session] = yield* archive.sessions({ limit: 1 })
      assert.deepInclude(session, { source: "import", mode: "batch", outcome: "ok" })
    }).pipe(Effect.provide(fresh))
  )

  it.effect("72: a bad row is told with its line and the reason, and the others are stored", () =>
    Effect.gen(function* () {
      const text = [
        '{"tsNs":"1","price":1}',
        "{oops",
        "[1,2]",
        '{"tsNs":"2"}',
        '{"tsNs":"3","price":"1,5"}',
        '{"tsNs":4,"price":1e999}',
        '{"tsNs":1700000000000000001,"price":1}',
        '{"ts":"2024-01-02T10:00:00","price":1}',
        '{"ts":1700000000000,"price":1}',
        '{"tsNs":"5","price":1,"prise":2}',
        '{"tsNs":"6","ts":"1970-01-01","price":1}',
        '{"tsNs":"7","price":1,"vendor":"no such name"}',
        '{"tsNs":"8","price":1,"symbol":" "}',
        '{"tsNs":"9","price":9}'
      ].join("\n")
      const { rejectedLines, ...tally } = yield* importing(text)
      assert.deepInclude(tally, { rows: 14, inserted: 2, rejected: 12 })
      const told = rejectedLines.map(({ line, reason }) => `${line} ${reason}`)
      const words = [
        "2 the line is not JSON",
        "3 the line is no JSON object",
        "4 price is missing",
        "5 price is not a number: 1,5",
        "6 price is not a finite number",
        "7 tsNs is a JSON number above 2^53",
        "8 ts: 2024-01-02T10:00:00: a time of day needs its offset",
        "9 ts 1700000000000 may be in any unit",
        '10 a trade has no field "prise"; did you mean price?',
        "11 it has two stamps that differ",
        '12 "no such name" is no vendor\'s name',
        "13 no series is acme"
      ]
      for (const [index, word] of words.entries())
        assert.isTrue(told[index]?.startsWith(word), `${told[index]} / ${word}`)
      assert.strictEqual(rejectedLines[0]?.text, "{oops")
      const [session] = yield* (yield* ProvenanceStore).sessions({ limit: 1 })
      assert.strictEqual(session?.outcome, "partial")
    }).pipe(Effect.provide(fresh))
  )

  it.effect("72: with fail, nothing of a segment with a bad row is archived or stored", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(importing('{"tsNs":"1","price":1}\n{"tsNs":"2"}\n', specOf({ rejects: "fail" })))
      assert.deepInclude(error, { _tag: "ImportsError", message: "line 2: price is missing" })
      assert.strictEqual(yield* (yield* RecordStore).count(trades, everything), 0)
      const archive = yield* ProvenanceStore
      assert.deepStrictEqual(yield* archive.responses({ limit: 1 }), [])
      assert.strictEqual((yield* archive.sessions({ limit: 1 }))[0]?.outcome, "failed")
    }).pipe(Effect.provide(fresh))
  )

  it.effect("the same text again is known and adds no bytes; the same rows in another text are unchanged", () =>
    Effect.gen(function* () {
      const text = Array.from(
        { length: 30_000 },
        (_, index) => `{"tsNs":"${index}","price":1,"sequence":${index}}`
      ).join("\n")
      const first = yield* importing(text)
      assert.deepInclude(first, { inserted: 30_000, known: 0 })
      assert.isAbove(first.segments, 1)
      const archive = yield* ProvenanceStore
      const before = yield* archive.stats
      assert.deepInclude(yield* importing(text), { rows: 30_000, inserted: 0, unchanged: 0, known: 30_000 })
      assert.strictEqual((yield* archive.stats).responses, before.responses)
      assert.deepInclude(yield* importing(text, specOf({ name: "other" })), { inserted: 0, unchanged: 30_000 })
    }).pipe(Effect.provide(fresh))
  )

  it.effect("75: CSV by its header: aliases, quotes, absent against empty, a byte order mark, a null token", () =>
    Effect.gen(function* () {
      const text =
        '\ufeffpublished_at,vendor,symbol,Title,URL,sentiment_score,id\r\n2024-01-02T00:00:00Z,Wire,spy,"a ""b"",\nc",,NULL,7\r\n2024-01-02T00:00:00Z,Wire,spy,"",x,-1,8\n2024-01-03T00:00:00Z,Wire,spy,t,"","0.5",'
      const spec = specOf({ kind: "news", format: "csv", nullToken: "NULL", defaults: { vendor: null, symbol: null } })
      const { rejectedLines, ...tally } = yield* importing(text, spec)
      assert.deepInclude(tally, { rows: 3, inserted: 2, rejected: 1 })
      assert.deepStrictEqual(
        rejectedLines.map(({ line, reason }) => [line, reason]),
        [[4, "title is empty"]]
      )
      const rows = yield* collect((yield* RecordStore).rows({ ...recordSeries("news"), vendor: "wire" }, everything))
      assert.deepStrictEqual(rows, [
        { ts: Date.UTC(2024, 0, 2), id: "7", title: 'a "b",\nc', url: null, sentiment: null },
        { ts: Date.UTC(2024, 0, 3), id: null, title: "t", url: "", sentiment: 0.5 }
      ])
    }).pipe(Effect.provide(fresh))
  )

  it.effect("a header that cannot be meant is refused before any row", () =>
    Effect.gen(function* () {
      const header = (line: string, parts: Parameters<typeof specOf>[0] = {}) =>
        Effect.map(Effect.flip(importing(`${line}\n`, specOf({ format: "csv", ...parts }))), ({ message }) => message)
      assert.include(yield* header("ts,prise"), 'a trade has no field "prise"; did you mean price?')
      assert.include(yield* header("ts,size"), "there is no column price")
      assert.include(yield* header("price"), "there is no column ts")
      assert.include(yield* header("ts,price,Price"), 'the columns "price" and "Price" are the same field')
      assert.include(yield* header("ts,price", { defaults: { vendor: null } }), "there is no vendor")
      assert.include(yield* header("ts,open,high,low,close", { kind: "bar" }), "there is no timeframe")
      assert.include(yield* header('ts,"price'), "a quoted field that begins here never ends")
      assert.strictEqual(
        (yield* importing("ts,price,x\n", specOf({ format: "csv", unknownColumns: "ignore" }))).rows,
        0
      )
    }).pipe(Effect.provide(fresh))
  )

  it.effect("bars are covered where they are, provisionally where their period has not ended", () =>
    Effect.gen(function* () {
      const day = 86_400_000
      const text = ["2024-01-02,1", "2024-01-03,2", "2024-01-05,3", "2030-01-01,4", "2024-01-04T12:00:00Z,5"]
        .map((row) => `${row},9,0.5,2`)
        .join("\n")
      const spec = specOf({ kind: "bar", format: "csv", defaults: { timeframe: "1d" } })
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const { rejectedLines } = yield* importing(`ts,open,high,low,close\n${text}`, spec)
      assert.deepStrictEqual(
        rejectedLines.map(({ reason }) => reason),
        ["ts 2024-01-04T12:00:00.000Z is not the date of a 1d bar; its date would be 2024-01-04"]
      )
      const series = seriesOf("SPY", { ...acme, timeframe: "1d" })
      const coverage = yield* (yield* MarketStore).coverage(series, everything)
      const start = Date.UTC(2024, 0, 2)
      assert.deepStrictEqual(
        coverage.map(({ end, start: from, state }) => [from, end, state._tag]),
        [
          [start, start + 2 * day, "Covered"],
          [start + 3 * day, start + 4 * day, "Covered"],
          [Date.UTC(2030, 0, 1), Date.UTC(2030, 0, 2), "Provisional"]
        ]
      )
    }).pipe(Effect.provide(fresh))
  )

  it.effect("a configured vendor's name is refused; one that was imported can be named and asks nobody", () =>
    Effect.gen(function* () {
      const registry = yield* AdapterRegistry
      yield* registry.register(Effect.succeed(ModelVendor.make({}).adapter))
      const error = yield* Effect.flip(importing('{"tsNs":"1","price":1}', specOf({ defaults: { vendor: "model" } })))
      assert.include(error.message, "model is a configured vendor")
      yield* importing('{"tsNs":"1","price":1}')
      assert.deepInclude(yield* registry.resolve("acme"), { type: "import", storedOnly: true })
    }).pipe(Effect.scoped, Effect.provide(fresh))
  )

  it.effect("X7: a store that was lost is made again from the archive, and what is there is left alone", () =>
    Effect.gen(function* () {
      const imports = yield* Imports
      const records = yield* RecordStore
      yield* importing('{"tsNs":"1","price":1,"sequence":1}\n{"tsNs":"2","price":2,"sequence":2}\n')
      yield* importing('{"tsNs":"1","price":3,"sequence":1}\n', specOf({ name: "correction" }))
      const before = yield* collect(records.storedRows(trades, everything))
      const revisions = yield* collect(records.revisions(trades, everything))
      assert.deepStrictEqual(
        (yield* Stream.runCollect(imports.replay())).map(({ inserted, rows }) => [rows, inserted]),
        [
          [2, 0],
          [1, 0]
        ]
      )
      yield* (yield* MarketStore).forget(trades)
      const replayed = yield* Stream.runCollect(imports.replay())
      assert.isTrue(replayed.every(({ problem }) => problem === null))
      assert.deepStrictEqual(yield* collect(records.storedRows(trades, everything)), before)
      assert.deepStrictEqual(yield* collect(records.revisions(trades, everything)), revisions)
      assert.strictEqual(revisions.length, 1)
    }).pipe(Effect.provide(fresh))
  )

  for (const [name, over] of [
    ["SQLite", fresh],
    ["PostgreSQL", freshPostgres]
  ] as const) {
    it.live(`X7: a check over ${name} finds what the store has otherwise than the archive, and changes nothing`, () =>
      Effect.gen(function* () {
        const imports = yield* Imports
        const records = yield* RecordStore
        const market = yield* MarketStore
        yield* importing('{"tsNs":"1","price":1,"sequence":1}\n{"tsNs":"2","price":2,"sequence":2}\n')
        yield* importing('{"tsNs":"1","price":3,"sequence":1}\n', specOf({ name: "correction" }))
        const bars = specOf({ name: "bars", kind: "bar", format: "csv", defaults: { timeframe: "1d" } })
        yield* importing("ts,open,high,low,close\n2024-01-02,1,2,0.5,1.5\n2024-01-03,1,2,0.5,1\n", bars)
        const daily = seriesOf("SPY", { ...acme, timeframe: "1d" })
        const found = (limit = 10) =>
          Effect.map(Stream.runCollect(imports.check({ limit })), (events) =>
            events.map((event) => {
              if (event._tag !== "Compared") return event
              const { coverage, differences, rebuilt, revisions, rows, series, stored } = event
              return { series, counts: [stored, rebuilt, rows, revisions, coverage], told: differences.length }
            })
          )
        const barText = "v1/acme/-/SPY/bar/1d/trade/regular/-/raw"
        const tradeText = "v1/acme/-/SPY/trade/-/none/all/-/raw"
        const same = [
          { series: barText, counts: [2, 2, 0, 0, 0], told: 0 },
          { series: tradeText, counts: [2, 2, 0, 0, 0], told: 0 }
        ]
        assert.deepStrictEqual(yield* found(), same)
        yield* market.forget(daily)
        const gone = { series: barText, counts: [0, 2, 2, 0, 1], told: 3 }
        assert.deepStrictEqual(yield* found(), [gone, ...same.slice(1)])
        assert.deepStrictEqual(yield* found(1), [{ ...gone, told: 2 }, ...same.slice(1)])
        yield* market.forget(trades)
        assert.deepStrictEqual(yield* found(), [gone, { series: tradeText, counts: [0, 2, 2, 1, 0], told: 3 }])
        assert.strictEqual(yield* records.count(trades, everything), 0, "a check stores nothing")
        yield* Stream.runDrain(imports.replay())
        assert.deepStrictEqual(yield* found(), same)
        // What was removed on purpose is no difference, and a rebuild does not bring it back, until somebody imports it again.
        const archive = yield* ProvenanceStore
        yield* archive.recordOperation(tradeText, { _tag: "Forgotten" })
        yield* market.forget(trades)
        assert.deepStrictEqual(yield* found(), same.slice(0, 1))
        yield* Stream.runDrain(imports.replay())
        assert.strictEqual(yield* records.count(trades, everything), 0)
        yield* importing('{"tsNs":"1","price":3,"sequence":1}\n', specOf({ name: "correction" }))
        assert.deepStrictEqual(yield* found(), [
          ...same.slice(0, 1),
          { series: tradeText, counts: [1, 1, 0, 0, 0], told: 0 }
        ])
        yield* market.forget(trades)
        yield* Stream.runDrain(imports.replay())
        assert.deepStrictEqual(yield* found(), same, "nothing of what was wanted again is lost")
        // An answer that the archive did not have when it was read.
        yield* records.commit({ ...recordsOf(trades, 1_000, [trade(9n, 9)]), fetchedAt: Date.now() })
        assert.deepStrictEqual(yield* found(), [...same.slice(0, 1), { _tag: "Busy" as const, series: tradeText }])
        assert.deepStrictEqual(
          (yield* Stream.runCollect(imports.check({ limit: 1, symbol: "QQQ" }))).length,
          0,
          "a part can be chosen"
        )
      }).pipe(Effect.provide(over))
    )
  }

  it.effect(
    "X7: rows that a program has come back from the archive as they were, in the series in which they were",
    () =>
      Effect.gen(function* () {
        const imports = yield* Imports
        const market = yield* MarketStore
        const records = yield* RecordStore
        const session = yield* imports.begin
        const spy = seriesOf("spy 24/7", {
          ...acme,
          dataset: "a b",
          currency: "USD",
          session: "extended",
          price: "mid"
        })
        const far = 8_640_000_000_000_000
        const bars = [bar(-far, -37.63), bar(60_001, 1e-7, { vwap: 0.1 + 0.2, count: 3 }), bar(far - 1, 1e21)]
        const given = (batches: ReadonlyArray<ImportedRows>, kind: ImportKind) => ({
          name: "rows",
          offset: 0,
          kind,
          batches
        })
        yield* imports.rows(session, given([{ series: spy, rows: bars }], "bar"))
        for (const kind of RecordKind.literals) {
          const series: RecordSeries = { ...recordSeries(kind), vendor: "acme", symbol: "spy" }
          yield* imports.rows(session, given([{ series, rows: samples[kind] }], kind))
        }
        const stored = Effect.gen(function* () {
          const all: Array<unknown> = [yield* collect(market.storedBars(spy, everything))]
          for (const kind of RecordKind.literals) {
            const series = { ...recordSeries(kind), vendor: "acme", symbol: "spy" }
            all.push(yield* collect(records.storedRows(series, everything)))
          }
          return { all, series: yield* market.series }
        })
        const before = yield* stored
        assert.strictEqual(before.series.length, 1 + RecordKind.literals.length)
        for (const { series } of before.series) yield* market.forget(series)
        const replayed = yield* Stream.runCollect(imports.replay())
        assert.deepStrictEqual(
          replayed.map(({ problem }) => problem),
          before.series.map(() => null)
        )
        assert.deepStrictEqual(yield* stored, before)
      }).pipe(Effect.provide(fresh))
  )

  it.effect("X7: rows that a program has are refused where a rebuild would have them otherwise, or not at all", () =>
    Effect.gen(function* () {
      const imports = yield* Imports
      const session = yield* imports.begin
      const day = seriesOf("SPY", { ...acme, timeframe: "1d" })
      const signals = { ...recordSeries("signal"), vendor: "acme" }
      const minutes = seriesOf("SPY", acme)
      const refused = (series: SeriesKey, row: Bar | AnyRecord, kind: ImportKind = "bar") =>
        imports.rows(session, { name: "rows", offset: 0, kind, batches: [{ series, rows: [row] }] }).pipe(
          Effect.flip,
          Effect.map(({ message }) => message)
        )
      assert.strictEqual(
        yield* refused(day, bar(43_200_000, 1)),
        "line 1: ts 1970-01-01T12:00:00.000Z is not the date of a 1d bar; its date would be 1970-01-01"
      )
      assert.include(yield* refused(minutes, bar(9e15, 1)), "ts lies where no date can be written: 9000000000000000 ms")
      assert.include(yield* refused({ ...minutes, vendor: "Acme" }, bar(0, 1)), "no such series can be imported")
      assert.include(yield* refused({ ...minutes, symbol: " SPY" }, bar(0, 1)), "no such series can be imported")
      assert.include(yield* refused({ ...minutes, vendor: "a b" }, bar(0, 1)), "is no vendor's name")
      assert.include(yield* refused({ ...minutes, timeframe: null }, bar(0, 1)), "there is no timeframe")
      const row = samples.signal[0]
      assert.include(yield* refused({ ...signals, price: "trade" }, row, "signal"), "no such series can be imported")
      assert.include(yield* refused({ ...signals, timeframe: "1d" }, row, "signal"), "no such series can be imported")
      assert.include(yield* refused(signals, { ...row, ts: -9e15 }, "signal"), "ts lies where no date can be written")
      assert.deepStrictEqual(yield* (yield* ProvenanceStore).responses({ limit: 1 }), [])
      assert.deepStrictEqual(yield* (yield* MarketStore).series, [])
    }).pipe(Effect.provide(fresh))
  )

  it.effect("a quote within a field is text, also where it is the only one of a large file", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 20_000 }, (_, index) => {
        const title = index === 7 ? 'a 27" screen' : index === 9 ? '"two\nlines, ""quoted"""' : `title ${index}`
        return `${index},${title},${"x".repeat(60)}`
      })
      const spec = specOf({ kind: "news", format: "csv" })
      const { rejectedLines, ...tally } = yield* importing(`ts,title,url\n${rows.join("\n")}\n`, spec)
      assert.deepStrictEqual(rejectedLines, [])
      assert.deepInclude(tally, { rows: 20_000, inserted: 20_000 })
      assert.isAbove(tally.segments, 1)
      const news: RecordSeries<"news"> = { ...recordSeries("news"), vendor: "acme" }
      const [first, second] = yield* collect((yield* RecordStore).rows(news, { start: 7, end: 10 })).pipe(
        Effect.map((found) => [found[0]?.title, found[2]?.title])
      )
      assert.deepStrictEqual([first, second], ['a 27" screen', 'two\nlines, "quoted"'])
    }).pipe(Effect.provide(fresh))
  )

  const nasty = fc.string({
    unit: fc.constantFrom("a", '"', "\n", "\r", "\\", ",", "é", "🚀", "\u2028", " ", "'", "\t"),
    maxLength: 8
  })
  /** As `dump` writes it. */
  const written = (
    kind: ImportKind,
    format: ImportSpec["format"],
    series: SeriesKey,
    given: ReadonlyArray<AnyRecord>
  ): string | Uint8Array => {
    if (format === "arrow") {
      const { head, rows, tail } = recordsArrow(kind)
      return Buffer.concat([head, rows(series, given), tail()].map((part) => Buffer.from(part)))
    }
    const { head, rows } = recordsText(kind, format)
    return head + rows(series, given)
  }
  for (const format of ["ndjson", "csv", "arrow"] as const) {
    it(`73, 75: rows of every kind survive ${format}, whatever their texts`, async () => {
      for (const kind of RecordKind.literals) {
        await Effect.gen(function* () {
          const series: RecordSeries = { ...recordSeries(kind), vendor: "acme" }
          const records = yield* RecordStore
          const given: ReadonlyArray<AnyRecord> = samples[kind]
          const text = written(kind, format, series, given)
          const tally = yield* importing(text, specOf({ kind, format, defaults: { vendor: null, symbol: null } }))
          assert.deepStrictEqual(tally.rejectedLines, [])
          const stored = yield* collect(records.rows(series, everything))
          assert.sameDeepMembers([...stored], [...given])
          assert.deepStrictEqual(
            written(kind, format, series, stored),
            written(kind, format, series, yield* collect(records.rows(series, everything)))
          )
        }).pipe(Effect.provide(fresh), Effect.runPromise)
      }
      const property = fc.asyncProperty(
        fc.array(fc.record({ title: nasty.filter((text) => text !== ""), url: fc.option(nasty), id: fc.uuid() }), {
          minLength: 1,
          maxLength: 8
        }),
        (items) =>
          Effect.gen(function* () {
            const series: RecordSeries<"news"> = { ...recordSeries("news"), vendor: "acme" }
            const given = items.map((item, ts) => ({ ts, sentiment: null, ...item }))
            yield* importing(written("news", format, series, given), specOf({ kind: "news", format }))
            assert.deepStrictEqual(yield* collect((yield* RecordStore).rows(series, everything)), given)
          }).pipe(Effect.provide(fresh), Effect.runPromise)
      )
      await fc.assert(property, { numRuns: 25 })
    }, 60_000)
  }
})
