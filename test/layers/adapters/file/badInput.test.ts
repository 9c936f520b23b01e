/** Files that cannot be read, break off, change meanwhile, or have bad rows: what is said, and that nothing is lost. */
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, type Path, PlatformError, type Scope, Stream } from "effect"
import { Zip } from "effect/encoding"
import { beginningOf } from "../../../../src/services/PayloadDraft.ts"
import { ask, between, fetcher, filesIn, platform, vendorOf } from "./support.ts"

const header = "ts,open,high,low,close,volume"
const good = "2019-01-02,10,12,9,11,100"
const january = between("2019-01-01", "2019-02-01")
const spy = { symbol: "SPY", timeframe: "1d" } as const

const vendor = (more = "") => `vendors:
  files:
    adapter: file
    root: data
    path: "{symbol}.csv"
    timeframe: 1d
${more}`

type Needs = FileSystem.FileSystem | Path.Path | Scope.Scope
const test = (title: string, body: Effect.Effect<void, unknown, Needs>) =>
  it.effect(title, () => body.pipe(Effect.provide(platform)))

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The answer to a request for SPY, without decoding it. */
const fetched = Effect.fnUntraced(function* (root: string, yaml = vendor()) {
  const capability = yield* fetcher(yield* vendorOf(root, yaml))
  const series = yield* capability.series({ ...spy, kind: "bar" })
  return yield* capability.fetch(yield* capability.request(series, january))
})

/** The platform with some of its file system's functions replaced. */
const withFiles = (change: (fs: FileSystem.FileSystem) => Partial<FileSystem.FileSystem>) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => FileSystem.FileSystem.of({ ...fs, ...change(fs) }))
  )

const malformedAs = (content: string | Uint8Array, position: number | null, message: RegExp, more = "") =>
  Effect.gen(function* () {
    const root = yield* filesIn({ "data/spy.csv": content })
    const answer = yield* fetched(root, vendor(more))
    assert.strictEqual(answer.refusal?._tag, "Malformed")
    if (answer.refusal?._tag !== "Malformed") return
    assert.match(answer.refusal.message, message)
    assert.include(answer.refusal.message, "spy.csv")
    assert.strictEqual(answer.refusal.position, position)
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
    assert.deepStrictEqual(
      Uint8Array.from(beginningOf(answer.body)),
      Uint8Array.from(bytes),
      "the bytes are handed on as evidence"
    )
    const again = yield* Effect.flip(ask(yield* vendorOf(root, vendor(more)), spy, january))
    assert.match(messageOf(again), message)
  })

describe("bad input: lines and columns that would be read as something else", () => {
  test(
    "lines that end in CR alone are refused, not read as a header without rows",
    malformedAs([header, good].join("\r"), null, /the lines end in CR alone; save the file with LF or CRLF/)
  )
  test(
    "two columns of one name leave it open which is meant",
    malformedAs(["ts,open,high,low,close,close", good].join("\n"), null, /there are several columns "close"/)
  )
  test(
    "an optional column in other letters is not taken for absent",
    malformedAs(["ts,open,high,low,close,Volume", good].join("\n"), null, /columns: \{ volume: Volume \}/)
  )
  test(
    "a mapping settles the letters",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": ["ts,open,high,low,close,Volume", good].join("\n") })
      for (const [mapped, volume] of [
        ["Volume", 100],
        ["null", null]
      ] as const) {
        const adapter = yield* vendorOf(root, vendor(`    columns: { volume: ${mapped} }\n`))
        assert.strictEqual((yield* ask(adapter, spy, january)).bars[0]?.volume, volume)
      }
    })
  )
  test(
    "a file that is one endless line is refused in a short message, however large it unpacks",
    Effect.gen(function* () {
      const packed = gzipSync(Buffer.alloc(100_000_000, "0"))
      const root = yield* filesIn({ "data/spy.csv": packed })
      const { refusal } = yield* fetched(root)
      assert.strictEqual(refusal?._tag, "Malformed")
      assert.match(refusal?.message ?? "", /the line has 100000000 bytes/)
      assert.isBelow((refusal?.message ?? "").length, 300)
    })
  )
  test(
    "no policy skips an endless line, since nobody knows what it hides",
    malformedAs(
      [header, good, "0".repeat(2_000_000)].join("\n"),
      3,
      /the line has 2000000 bytes/,
      "    badRows: skip\n"
    )
  )
  test(
    "a text of another kind is not poured into the message",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": `${"x".repeat(5000)},y\n${good}\n` })
      const { refusal } = yield* fetched(root)
      assert.match(refusal?.message ?? "", /there is no column "ts" for ts; the columns are x{37}\.\.\., y/)
    })
  )
})

describe("bad input: rows", () => {
  for (const [what, row, reason] of [
    ["a price that is no number", "2019-01-03,x,12,9,11,100", /line 3 of spy\.csv: open: "x" is not a number/],
    ["a volume that is no number", "2019-01-03,10,12,9,11,many", /volume: "many" is not a number/],
    ["a negative volume", "2019-01-03,10,12,9,11,-1", /volume is negative: -1/],
    ["high below low", "2019-01-03,10,8,9,11,1", /high 8 is below low 9/],
    ["a price of zero", "2019-01-03,0,12,0,11,1", /low 0 is not above zero/],
    ["an infinite price", "2019-01-03,10,1e999,9,11,1", /high is not a finite number/],
    ["one price missing", "2019-01-03,10,12,9,,1", /close has no value and the other prices have/],
    ["a stamp that is none", "soon,10,12,9,11,1", /ts: "soon" is not a stamp/],
    ["a date that does not exist", "2019-02-30,10,12,9,11,1", /ts: "2019-02-30" is not a stamp/],
    ["too few fields", "2019-01-03,10,12,9,11", /the row has 5 fields, expected 6/],
    ["too many fields", "2019-01-03,10,12,9,11,1,2", /the row has 7 fields, expected 6/],
    ["text behind a quote", '2019-01-03,"10"0,12,9,11,1', /behind the closing quote of field 2/]
  ] as const) {
    test(`bad row: ${what}`, malformedAs([header, good, row].join("\n"), 3, reason))
  }

  test(
    "bad row: outside the range that is asked it does not matter, its stamp excepted",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": [header, good, "2020-01-03,x,12,9,11,100"].join("\n") })
      assert.strictEqual((yield* ask(yield* vendorOf(root, vendor()), spy, january)).bars.length, 1)
    })
  )

  test(
    "bad row: a corrected file is read at the next request, without any force",
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const root = yield* filesIn({ "data/spy.csv": [header, "2019-01-02,10,12,9,x,100"].join("\n") })
      const adapter = yield* vendorOf(root, vendor())
      assert.match(messageOf(yield* Effect.flip(ask(adapter, spy, january))), /close: "x"/)
      yield* fs.writeFileString(`${root}/data/spy.csv`, [header, good].join("\n"))
      assert.strictEqual((yield* ask(adapter, spy, january)).bars[0]?.close, 11)
    })
  )

  test(
    "prices at and below zero pass where the entry allows them",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": [header, "2019-01-03,-1,0,-2,-1.5,1"].join("\n") })
      const got = yield* ask(yield* vendorOf(root, vendor("    allowNonPositivePrices: true\n")), spy, january)
      assert.deepInclude(got.bars[0], { open: -1, high: 0, low: -2, close: -1.5 })
    })
  )

  test(
    "a row whose prices are all null tokens has no bar and is not bad",
    Effect.gen(function* () {
      const root = yield* filesIn({
        "data/spy.csv": [header, "2019-01-02,,,,,", "2019-01-03,-,-,-,-,-", good].join("\n")
      })
      const got = yield* ask(yield* vendorOf(root, vendor('    nulls: ["", "-"]\n')), spy, january)
      assert.strictEqual(got.bars.length, 1)
      assert.deepStrictEqual(got.positions, [4])
    })
  )

  test(
    "skip: bad rows go into a reject file with their numbers and reasons, the others are kept",
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const lines = [header, good, "2019-01-03,x,12,9,11,100", "2019-01-04,10,12,9,11", "2019-01-05,10,12,9,11,100"]
      const root = yield* filesIn({ "data/spy.csv": lines.join("\n") })
      for (const [more, directory] of [
        ["    badRows: skip\n", `${root}/.tapestry/rejects/files`],
        ["    badRows: skip\n    rejects: bad/rows\n", `${root}/bad/rows`]
      ] as const) {
        const adapter = yield* vendorOf(root, vendor(more))
        const got = yield* ask(adapter, spy, january)
        assert.strictEqual(got.bars.length, 2)
        assert.deepStrictEqual(got.positions, [2, 5])
        assert.deepStrictEqual(
          got.rejected.map((row) => row.position),
          [3, 4]
        )
        yield* (yield* fetcher(adapter)).decode(Uint8Array.from(beginningOf(got.answer.body)), got.decoding)
        const files = yield* fs.readDirectory(directory)
        assert.strictEqual(files.length, 1, "decoding again writes the same file again")
        assert.match(files[0] ?? "", /^spy\.csv\.20190101T000000Z-20190201T000000Z\.[0-9a-f]{12}\.ndjson$/)
        const text = yield* fs.readFileString(`${directory}/${files[0]}`)
        assert.deepStrictEqual(
          text
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line)),
          [
            { file: "spy.csv", row: 3, reason: 'open: "x" is not a number', text: lines[2] },
            { file: "spy.csv", row: 4, reason: "the row has 5 fields, expected 6", text: lines[3] }
          ]
        )
      }
    })
  )

  test(
    "skip: when the reject file cannot be written the rows are not dropped in silence",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": [header, good, "x"].join("\n"), ".tapestry": "a file in the way" })
      const error = yield* Effect.flip(ask(yield* vendorOf(root, vendor("    badRows: skip\n")), spy, january))
      assert.match(messageOf(error), /skipped rows cannot be written to .*\.tapestry\/rejects\/files/)
    })
  )

  test(
    "skip: a quoted field that never ends is not skipped, for it hides all rows behind it",
    malformedAs([header, good, '2019-01-03,"10,12,9,11,1', good].join("\n"), 3, /never ends/, "    badRows: skip\n")
  )

  test(
    "a column that the mapping names and the file has not",
    malformedAs(
      "date,open,high,low,close\n2019-01-02,1,1,1,1",
      null,
      /no column "ts" for ts; the columns are date, open/
    )
  )
  test(
    "an optional column that is named and not there is a mistake, one that is not named is not",
    malformedAs(
      "ts,open,high,low,close,Vol\n2019-01-02,1,1,1,1,1",
      null,
      /no column "vol" for volume.*did you mean Vol\?/,
      "    columns: { volume: vol }\n"
    )
  )
  test("text in UTF-16", malformedAs(new Uint8Array(Buffer.from(`\uFEFF${header}`, "utf16le")), null, /UTF-16/))
  test("a line that is no JSON", malformedAs('{"ts":"2019-01-02"', 1, /the line is not JSON/, "    format: ndjson\n"))
  test("a document that is no JSON", malformedAs('[{"ts":', null, /document is not JSON/, "    format: json\n"))
})

describe("bad input: files", () => {
  const packed = new Uint8Array(gzipSync([header, good].join("\n").repeat(50)))
  const zip = Effect.map(
    Stream.make(Zip.file("spy.csv", [header, good].join("\n"), { method: "Deflate" })).pipe(
      Stream.pipeThroughChannel(Zip.encode()),
      Stream.runCollect
    ),
    (chunks) => new Uint8Array(Buffer.concat(chunks))
  )

  test(
    "truncated gzip",
    malformedAs(packed.slice(0, packed.length - 9), null, /gzip data breaks off: the file is truncated/)
  )
  test(
    "damaged gzip",
    malformedAs(
      packed.map((byte, index) => (index === packed.length - 6 ? byte ^ 255 : byte)),
      null,
      /gzip data is damaged/
    )
  )
  test(
    "truncated zip, cut anywhere",
    Effect.gen(function* () {
      const whole = yield* zip
      for (const size of [whole.length - 1, whole.length - 30, 40, 10]) {
        yield* malformedAs(whole.slice(0, size), null, /zip breaks off: the file is truncated/)
      }
    })
  )
  test(
    "damaged zip",
    Effect.gen(function* () {
      const whole = yield* zip
      yield* malformedAs(
        whole.map((byte, index) => (index === 60 ? byte ^ 255 : byte)),
        null,
        /the zip is damaged/
      )
    })
  )

  test(
    "an empty file is one that is not written yet, unless it may have no rows",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": "" })
      const error = yield* Effect.flip(fetched(root))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.include(error.message, `${root}/data/spy.csv is empty`)
      const bare = yield* fetched(root, vendor("    header: [ts, open, high, low, close, volume]\n"))
      assert.isNull(bare.refusal)
    })
  )

  test(
    "a file over the limit is refused by its size, before it is read",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": [header, good].join("\n") })
      const error = yield* Effect.flip(fetched(root, vendor("    maxFileSize: 20\n")))
      assert.strictEqual(error.reason._tag, "Rejected")
      assert.match(error.message, /has 55 bytes, more than 20; raise maxFileSize/)
    })
  )

  test(
    "a directory where the file should be",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv/x": "1" })
      const error = yield* Effect.flip(fetched(root))
      assert.strictEqual(error.reason._tag, "Rejected")
      assert.include(error.message, "is not a file")
    })
  )

  test(
    "a file that this user may not read",
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const root = yield* filesIn({ "data/spy.csv": [header, good].join("\n") })
      yield* fs.chmod(root, 0o755)
      yield* fs.chmod(`${root}/data/spy.csv`, 0)
      // Root may read everything, so the attempt is made as nobody.
      const nobody = 65_534
      const isRoot = process.geteuid?.() === 0
      const error = yield* Effect.acquireUseRelease(
        Effect.sync(() => (isRoot ? process.seteuid?.(nobody) : undefined)),
        () => Effect.flip(fetched(root)),
        () => Effect.sync(() => (isRoot ? process.seteuid?.(0) : undefined))
      )
      assert.strictEqual(error.reason._tag, "Rejected")
      assert.include(error.message, `${root}/data/spy.csv may not be read; give this user the right to`)
    })
  )

  test(
    "a disk that fails is Unavailable, with the path",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": [header, good].join("\n") })
      const broken = withFiles(() => ({
        readFile: (file) =>
          Effect.fail(
            PlatformError.systemError({
              _tag: "Unknown",
              module: "FileSystem",
              method: "readFile",
              description: "EIO: i/o error",
              pathOrDescriptor: file
            })
          )
      }))
      const error = yield* Effect.flip(fetched(root)).pipe(Effect.provide(broken))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.match(error.message, /spy\.csv cannot be read: .*check the disk or the mount/)
    })
  )

  test(
    "a file that changes while it is read is read again, and given up when it does not come to rest",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": [header, good].join("\n") })
      const growing = (times: number) => {
        let grown = 0
        return withFiles((fs) => ({
          readFile: (file) =>
            Effect.gen(function* () {
              const bytes = yield* fs.readFile(file)
              if (grown < times) {
                grown++
                yield* fs.writeFileString(file, `\n2019-01-0${3 + grown},10,12,9,11,${grown}`, { flag: "a" })
              }
              return bytes
            })
        }))
      }
      const settled = yield* fetched(root).pipe(Effect.provide(growing(2)))
      assert.strictEqual(new TextDecoder().decode(beginningOf(settled.body)).split("\n").length, 4)
      const error = yield* Effect.flip(fetched(root)).pipe(Effect.provide(growing(99)))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.match(error.message, /changed each time it was read/)
    })
  )

  test(
    "a file that is rewritten with the same size while it is read is noticed by its time",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": [header, good].join("\n") })
      let reads = 0
      const rewriting = withFiles((fs) => ({
        readFile: (file) =>
          Effect.gen(function* () {
            const bytes = yield* fs.readFile(file)
            if (reads++ === 0) {
              yield* fs.writeFileString(file, [header, good.replace("100", "999")].join("\n"))
              yield* fs.utimes(file, 2_000_000_000, 2_000_000_000)
            }
            return bytes
          })
      }))
      const answer = yield* fetched(root).pipe(Effect.provide(rewriting))
      assert.strictEqual(reads, 2)
      assert.match(new TextDecoder().decode(beginningOf(answer.body)), /,999$/)
    })
  )

  test(
    "a request of another vendor, or bytes without their request, are refused",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy.csv": [header, good].join("\n") })
      const capability = yield* fetcher(yield* vendorOf(root, vendor()))
      const foreign = {
        kind: "bars",
        method: "GET",
        params: { some: "thing" },
        body: null,
        weight: 1,
        keys: {}
      } as const
      assert.strictEqual((yield* Effect.flip(capability.fetch(foreign))).reason._tag, "Rejected")
    })
  )
})
