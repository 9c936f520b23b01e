import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type FileSystem, type Path, type Scope, Stream } from "effect"
import { Zip } from "effect/encoding"
import fc from "fast-check"
import type { Bar } from "../../../../src/domain/Bar.ts"
import { beginningOf } from "../../../../src/services/PayloadDraft.ts"
import { ask, between, fetcher, filesIn, platform, utc, vendorOf } from "./support.ts"

const daily = `date,open,high,low,close,volume
2019-01-02,10,12,9,11,100
2019-01-03,11,13,10,12,200
2019-01-04,12,14,11,13,300
`

const csvVendor = (more = "") => `vendors:
  files:
    adapter: file
    root: data
    path: "{symbol}.csv"
    columns: { ts: date }
    timeframe: 1d
    currency: USD
${more}`

const january = between("2019-01-01", "2019-02-01")
const spy = { symbol: "SPY", timeframe: "1d" } as const

const test = (title: string, body: Effect.Effect<void, unknown, PlatformServices | Scope.Scope>) =>
  it.effect(title, () => body.pipe(Effect.provide(platform)))
type PlatformServices = FileSystem.FileSystem | Path.Path

const stamps = (bars: ReadonlyArray<Bar>) => bars.map((bar) => new Date(bar.ts).toISOString())
const closes = (bars: ReadonlyArray<Bar>) => bars.map((bar) => bar.close)

const zipped = Effect.fnUntraced(function* (members: Readonly<Record<string, string>>) {
  const chunks = yield* Stream.fromIterable(Object.entries(members).map(([name, text]) => Zip.file(name, text))).pipe(
    Stream.pipeThroughChannel(Zip.encode()),
    Stream.runCollect
  )
  return new Uint8Array(Buffer.concat(chunks))
})

describe("FileAdapter", () => {
  test(
    "asks for no file outside its root, whatever the symbol of a key",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": daily, "secret/passwords.csv": "user,password\nroot,hunter2\n" })
      const fetch = yield* fetcher(yield* vendorOf(root, csvVendor()))
      const key = yield* fetch.series({ ...spy, kind: "bar" })
      const good = yield* fetch.request(key, january)
      for (const symbol of ["../secret/passwords", "../../SECRET/PASSWORDS", "..", "A\u0000B", "spy", " SPY", ""]) {
        const error = yield* Effect.flip(fetch.request({ ...key, symbol }, january))
        assert.strictEqual(error.reason._tag, "NotFound", symbol)
      }
      // A request that was written by somebody else.
      const params = { ...Object(good.params), path: "../secret/passwords.csv" }
      const error = yield* Effect.flip(fetch.fetch({ ...good, params }))
      assert.strictEqual(error.reason._tag, "Rejected")
      assert.notInclude(JSON.stringify(error), "hunter2")
    })
  )

  test(
    "C25: an answer holds the exact bytes of the file, and its content type, encoding, url and elapsed time",
    Effect.gen(function* () {
      const packed = new Uint8Array(gzipSync(daily))
      const root = yield* filesIn({ "data/spy.csv": daily, "data/qqq.csv": packed })
      const adapter = yield* vendorOf(root, csvVendor())
      const plain = yield* ask(adapter, spy, january)
      assert.deepStrictEqual(new TextDecoder().decode(beginningOf(plain.answer.body)), daily)
      assert.strictEqual(plain.answer.metadata.contentType, "text/csv")
      assert.isNull(plain.answer.metadata.encoding)
      assert.strictEqual(plain.answer.metadata.url, `file:${root}/data/spy.csv`)
      assert.isNotNull(plain.answer.metadata.elapsedMillis)
      assert.deepInclude(plain.answer.metadata.adapter, { exists: true, path: "spy.csv", entry: "default" })
      const gz = yield* ask(adapter, { symbol: "qqq", timeframe: "1d" }, january)
      assert.deepStrictEqual(Uint8Array.from(beginningOf(gz.answer.body)), packed)
      assert.strictEqual(gz.answer.metadata.encoding, "gzip")
      assert.deepStrictEqual(gz.bars, plain.bars)
    })
  )

  test(
    "the rows of the range, their lines, and the text behind them",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": daily })
      const adapter = yield* vendorOf(root, csvVendor())
      const got = yield* ask(adapter, spy, between("2019-01-03", "2019-01-04"))
      assert.deepStrictEqual(got.bars, [
        { ts: utc("2019-01-03"), open: 11, high: 13, low: 10, close: 12, volume: 200, vwap: null, count: null }
      ])
      assert.deepStrictEqual(got.positions, [3])
      assert.deepStrictEqual(yield* got.locate(3), { label: "line 3 of spy.csv", text: "2019-01-03,11,13,10,12,200" })
      assert.strictEqual((yield* Effect.flip(got.locate(99))).reason._tag, "Malformed")
      assert.deepStrictEqual(got.decoding.series, {
        vendor: "files",
        dataset: null,
        symbol: "SPY",
        kind: "bar",
        timeframe: "1d",
        price: "trade",
        session: "all",
        currency: "USD",
        adjustment: "raw"
      })
    })
  )

  test(
    "decoding gives the same bars right after the fetch, again, from other bytes alike, and for another range its own",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": daily })
      const capability = yield* fetcher(yield* vendorOf(root, csvVendor()))
      const series = yield* capability.series({ ...spy, kind: "bar" })
      const request = yield* capability.request(series, january)
      const decoding = { series, range: january, request }
      const narrow = { ...decoding, range: between("2019-01-03", "2019-01-04") }
      const body = beginningOf((yield* capability.fetch(request)).body)
      assert.deepStrictEqual(closes((yield* capability.decode(body, narrow)).bars), [12])
      const second = beginningOf((yield* capability.fetch(request)).body)
      const first = yield* capability.decode(second, decoding)
      assert.deepStrictEqual(closes(first.bars), [11, 12, 13])
      assert.deepStrictEqual(yield* capability.decode(second, decoding), first)
      assert.deepStrictEqual(yield* capability.decode(Uint8Array.from(second), decoding), first)
    })
  )

  test(
    "a symbol that has no file is NotFound, with the path that was looked for and symbols that exist",
    Effect.gen(function* () {
      const names = ["a", "b", "c", "d", "e", "f", "g"]
      const root = yield* filesIn(Object.fromEntries(names.map((name) => [`data/${name}.csv`, daily])))
      const adapter = yield* vendorOf(root, csvVendor())
      const error = yield* Effect.flip(ask(adapter, { symbol: "ZZZ", timeframe: "1d" }, january))
      assert.propertyVal(error, "_tag", "VendorError")
      assert.match(String(error), /NotFound|no files for symbol ZZZ/)
      assert.include(error instanceof Error ? error.message : "", `looked for ${root}/data/zzz.csv`)
      assert.match(error instanceof Error ? error.message : "", /known are for example [A-G](, [A-G]){4}$/)
      assert.deepStrictEqual(yield* adapter.symbols, ["A", "B", "C", "D", "E", "F", "G"])
    })
  )

  test(
    "where no symbol has a file, the case that the pattern asks for is named",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/AAPL.csv": daily })
      const adapter = yield* vendorOf(root, csvVendor())
      const error = yield* Effect.flip(ask(adapter, { symbol: "AAPL", timeframe: "1d" }, january))
      assert.match(
        error instanceof Error ? error.message : "",
        /looked for [^;]*aapl\.csv; no symbol has files there; \{symbol\} is the symbol in lower case: write \{SYMBOL\}/
      )
    })
  )

  for (const symbol of ["../secret", "..", "a/b", "a\\b", "", " ", "a\u0000b", "x".repeat(200)]) {
    test(
      `a symbol cannot leave its directory: ${JSON.stringify(symbol).slice(0, 20)}`,
      Effect.gen(function* () {
        const root = yield* filesIn({ "secret.csv": daily, "data/spy.csv": daily })
        const adapter = yield* vendorOf(root, csvVendor())
        const { series } = yield* fetcher(adapter)
        const error = yield* Effect.flip(series({ symbol, kind: "bar", timeframe: "1d" }))
        assert.strictEqual(error.reason._tag, "NotFound")
      })
    )
  }

  test(
    "a timeframe, kind or price that is not offered is Unsupported, with those that are",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": daily, "minute/spy.csv": daily })
      const adapter = yield* vendorOf(
        root,
        `vendors:
  files:
    adapter: file
    root: .
    columns: { ts: date }
    entries:
      day: { path: "data/{symbol}.csv", timeframe: 1d }
      minute: { path: "minute/{symbol}.csv", timeframe: 1m, price: bid }
      minute-ask: { path: "minute/{symbol}.csv", timeframe: 1m, price: ask }
`
      )
      const { series } = yield* fetcher(adapter)
      const messageOf = (query: Parameters<typeof series>[0]) =>
        Effect.map(Effect.flip(series(query)), (error) => `${error.reason._tag}: ${error.message}`)
      assert.strictEqual(
        yield* messageOf({ symbol: "spy", kind: "bar", timeframe: "1h" }),
        "Unsupported: files: no files with bars of 1h; offered: 1m, 1d"
      )
      assert.match(yield* messageOf({ symbol: "spy", kind: "trade", timeframe: null }), /^Unsupported: .* not trade/)
      assert.match(
        yield* messageOf({ symbol: "spy", kind: "bar", timeframe: "1d", price: "bid" }),
        /price bid; offered: trade/
      )
      assert.match(
        yield* messageOf({ symbol: "spy", kind: "bar", timeframe: "1m" }),
        /^Unsupported: .*say which: price bid.*; or price ask/
      )
      assert.strictEqual((yield* series({ symbol: "spy", kind: "bar", timeframe: "1m", price: "ask" })).price, "ask")
    })
  )

  test(
    "symbols are spelt one way, and the case rule says which",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/Spy.csv": daily, "data/eur.csv": daily, "data/USD.csv": daily })
      const symbolOf = Effect.fnUntraced(function* (rule: string, path: string, symbol: string) {
        const adapter = yield* vendorOf(root, csvVendor(`    symbolCase: ${rule}\n`).replace("{symbol}.csv", path))
        return (yield* ask(adapter, { symbol, timeframe: "1d" }, january)).decoding.series.symbol
      })
      assert.strictEqual(yield* symbolOf("exact", "{symbol}.csv", "Spy"), "Spy")
      assert.strictEqual(yield* symbolOf("upper", "{symbol}.csv", "Eur"), "EUR")
      assert.strictEqual(yield* symbolOf("lower", "{SYMBOL}.csv", "Usd"), "usd")
      assert.match(String(yield* Effect.flip(symbolOf("exact", "{symbol}.csv", "SPY"))), /no files/)
      const listed = yield* vendorOf(root, csvVendor())
      assert.deepStrictEqual(yield* listed.symbols, ["EUR"])
    })
  )

  test(
    "another mapping is another request, and an old answer is read with the mapping it was asked with",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": daily })
      const before = yield* vendorOf(root, csvVendor())
      const after = yield* vendorOf(root, csvVendor("    scale: 10\n"))
      const old = yield* ask(before, spy, january)
      const fresh = yield* ask(after, spy, january)
      assert.notDeepEqual(old.decoding.request.params, fresh.decoding.request.params)
      assert.deepStrictEqual(closes(fresh.bars), [1.1, 1.2, 1.3])
      const again = yield* (yield* fetcher(after)).decode(Uint8Array.from(beginningOf(old.answer.body)), old.decoding)
      assert.deepStrictEqual(again.bars, old.bars)
      const same = yield* ask(yield* vendorOf(root, csvVendor()), spy, january)
      assert.deepStrictEqual(same.decoding.request, old.decoding.request)
    })
  )

  test(
    "rows come ascending and one per stamp, in whatever order they lie: of two with one stamp the later line wins",
    Effect.gen(function* () {
      const days = fc.array(fc.integer({ min: 1, max: 28 }), { minLength: 1, maxLength: 40 })
      const orders = fc.sample(days, { numRuns: 40, seed: 7 })
      const lines = (order: ReadonlyArray<number>) =>
        order.map((day, index) => `2019-01-${String(day).padStart(2, "0")},1,${index + 1},1,${index + 1},0`)
      const root = yield* filesIn(
        Object.fromEntries(
          orders.map((order, index) => [
            `data/s${index}.csv`,
            `date,open,high,low,close,volume\n${lines(order).join("\n")}`
          ])
        )
      )
      const adapter = yield* vendorOf(root, csvVendor())
      let repeated = 0
      for (const [index, order] of orders.entries()) {
        const last = new Map(order.map((day, at) => [day, at]))
        const expected = Array.from(last.entries()).sort(([a], [b]) => a - b)
        if (last.size < order.length) repeated++
        const got = yield* ask(adapter, { symbol: `s${index}`, timeframe: "1d" }, january)
        assert.deepStrictEqual(
          got.bars.map((bar, at) => [bar.ts, bar.close, got.positions[at]]),
          expected.map(([day, at]) => [Date.UTC(2019, 0, day), at + 1, at + 2])
        )
      }
      assert.isAbove(repeated, 10)
    })
  )

  test(
    "a quoted CSV with CRLF, a byte order mark, other names, another delimiter and no last line end",
    Effect.gen(function* () {
      const text =
        '\uFEFF"Date";"Open";"High";"Low";"Last";"Vol"\r\n"2019-01-02";"10";"12";"9";"11";"null"\r\n\r\n2019-01-03;11;13;10;12;'
      const root = yield* filesIn({ "data/spy.csv": text })
      const adapter = yield* vendorOf(
        root,
        csvVendor('    delimiter: ";"\n').replace(
          "{ ts: date }",
          "{ ts: Date, open: Open, high: High, low: Low, close: Last, volume: Vol }"
        )
      )
      const got = yield* ask(adapter, spy, january)
      assert.deepStrictEqual(closes(got.bars), [11, 12])
      assert.deepStrictEqual(
        got.bars.map((bar) => bar.volume),
        [null, null]
      )
      assert.deepStrictEqual(got.positions, [2, 4])
    })
  )

  test(
    "ndjson and json: objects and arrays, numbers and texts, a pointer to the rows",
    Effect.gen(function* () {
      const rows = [
        { t: 1_546_387_200, o: 10, h: "12", l: 9, c: 11.5, v: null },
        { t: 1_546_473_600, o: 11, h: 13, l: 10, c: "12.5" }
      ]
      const lines = `# made today\n${JSON.stringify(rows[0])}\n\n${JSON.stringify(rows[1])}`
      const arrays = rows.map((row) => [row.t, row.o, row.h, row.l, row.c])
      const root = yield* filesIn({
        "data/spy.ndjson": lines,
        "data/spy.json": JSON.stringify({ chart: { "a/b": [{ rows }] } }),
        "data/spy.arrays": JSON.stringify(arrays)
      })
      const yaml = (extension: string, format: string, more: string) => `vendors:
  files:
    adapter: file
    root: data
    path: "{symbol}.${extension}"
    format: ${format}
    columns: { ts: t, open: o, high: h, low: l, close: c, volume: v }
    timestamp: epoch-seconds
    timeframe: 1d
${more}`
      const ndjson = yield* ask(yield* vendorOf(root, yaml("ndjson", "ndjson", "")), spy, january)
      assert.deepStrictEqual(stamps(ndjson.bars), ["2019-01-02T00:00:00.000Z", "2019-01-03T00:00:00.000Z"])
      assert.deepStrictEqual(closes(ndjson.bars), [11.5, 12.5])
      assert.deepStrictEqual(ndjson.positions, [2, 4])
      assert.deepStrictEqual(yield* ndjson.locate(4), { label: "line 4 of spy.ndjson", text: JSON.stringify(rows[1]) })
      const json = yield* ask(
        yield* vendorOf(root, yaml("json", "json", "    pointer: /chart/a~1b/0/rows\n")),
        spy,
        january
      )
      assert.deepStrictEqual(json.bars, ndjson.bars)
      assert.deepStrictEqual(json.positions, [0, 1])
      assert.deepStrictEqual(yield* json.locate(1), {
        label: "item 1 of spy.json",
        text: JSON.stringify(rows[1]),
        pointer: "/chart/a~1b/0/rows/1"
      })
      const listed = yield* vendorOf(root, yaml("arrays", "json", "    header: [t, o, h, l, c, v]\n"))
      assert.deepStrictEqual((yield* ask(listed, spy, january)).bars, ndjson.bars)
      const nowhere = yield* vendorOf(root, yaml("json", "json", "    pointer: /chart/rows\n"))
      assert.match(String(yield* Effect.flip(ask(nowhere, spy, january))), /no array of rows at \/chart\/rows/)
    })
  )

  test(
    "a zip: its only file, the one that member names, and what is wrong when neither is clear",
    Effect.gen(function* () {
      const root = yield* filesIn({
        "data/one.csv": yield* zipped({ "whatever.txt": daily }),
        "data/two.csv": yield* zipped({ "a.csv": "x", "two.csv": daily })
      })
      const plain = yield* vendorOf(root, csvVendor())
      const one = yield* ask(plain, { symbol: "one", timeframe: "1d" }, january)
      assert.deepStrictEqual(closes(one.bars), [11, 12, 13])
      assert.strictEqual((yield* one.locate(2)).label, "line 2 of whatever.txt in one.csv")
      assert.match(
        String(yield* Effect.flip(ask(plain, { symbol: "two", timeframe: "1d" }, january))),
        /several files \(a\.csv, two\.csv\); name one with member/
      )
      const named = yield* vendorOf(root, csvVendor('    member: "{symbol}.csv"\n'))
      assert.deepStrictEqual((yield* ask(named, { symbol: "two", timeframe: "1d" }, january)).bars, one.bars)
      assert.match(
        String(yield* Effect.flip(ask(named, { symbol: "one", timeframe: "1d" }, january))),
        /holds no one\.csv; it holds whatever\.txt/
      )
    })
  )
})
