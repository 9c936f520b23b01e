import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Path, type Scope } from "effect"
import { ConfigurationError } from "../../../src/layers/config/ConfigurationError.ts"
import * as TapestryConfig from "../../../src/layers/config/TapestryConfig.ts"
import * as VendorPreference from "../../../src/layers/preferred/VendorPreference.ts"

const load = Effect.fnUntraced(function* (text: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-config-" })
  const file = path.join(directory, "tapestry.yaml")
  yield* fs.writeFileString(file, text)
  return { directory, file, config: yield* TapestryConfig.load(file) }
})

const mistakes = Effect.fnUntraced(function* (text: string) {
  const error = yield* Effect.flip(load(text))
  assert.instanceOf(error, ConfigurationError)
  return error
})

const vendor = `vendors:
  spy:
    adapter: file
    root: data
    path: "{symbol}.csv"
    timeframe: 1d
`

const test = (title: string, body: Effect.Effect<void, unknown, NodeServices.NodeServices | Scope.Scope>) =>
  it.effect(title, () => body.pipe(Effect.provide(NodeServices.layer)))

describe("TapestryConfig", () => {
  test(
    "batch: what it says holds, the rest is as always, and mistakes are named with their place and a remedy",
    Effect.gen(function* () {
      const path = yield* Path.Path
      const { config, directory } = yield* load(
        "batch:\n  rows: 500\n  bytes: 256 KiB\n  age: 2s\n  capacity: 1000\n  overflow: dropOldest\n  deadLetters: letters/x.ndjson\n"
      )
      assert.deepStrictEqual(config.batch, {
        ...TapestryConfig.defaults.batch,
        rows: 500,
        bytes: 262_144,
        age: 2_000,
        capacity: 1_000,
        overflow: "dropOldest",
        deadLetters: path.join(directory, "letters/x.ndjson")
      })
      assert.isTrue(config.keys.has("batch.overflow"))
      assert.isFalse(config.keys.has("batch.concurrency"))
      const error = yield* mistakes("batch:\n  rows: 0\n  overflow: drop\n  concurrency: 65\n  age: soon\n  flush: 1\n")
      assert.deepStrictEqual(
        error.problems.map((problem) => [problem.line, problem.path, problem.expected]),
        [
          [2, "batch.rows", "a whole number of rows from 1 to 65536"],
          [3, "batch.overflow", "what becomes of a row that finds the buffer full: suspend, dropOldest, fail"],
          [4, "batch.concurrency", "a whole number of batches from 1 to 64"],
          [5, "batch.age", "a duration: milliseconds, or a number with ms, s, m, h, d or w, such as 2d"],
          [6, "batch.flush", error.problems[4]?.expected ?? null]
        ]
      )
      const small = yield* mistakes("batch:\n  capacity: 100\n  bytes: 65 MiB\n")
      assert.deepStrictEqual(
        small.problems.map((problem) => [problem.line, problem.path, problem.remedy]),
        [
          [2, "batch.capacity", "raise capacity, or lower rows"],
          [3, "batch.bytes", "a batch is held in memory; more bytes make none faster"]
        ]
      )
    })
  )

  test(
    "symbol changes that contradict each other are refused with their line",
    Effect.gen(function* () {
      const change = (to: string) => `  - from: FB\n    to: ${to}\n    on: 2022-06-09\n`
      const { config } = yield* load(`aliases:\n${change("META")}`)
      assert.deepStrictEqual(config.aliases, [
        { from: "FB", to: "META", on: Date.parse("2022-06-09"), reused: null, vendors: null }
      ])
      const error = yield* mistakes(`aliases:\n${change("META")}${change("X")}`)
      assert.deepStrictEqual(
        error.problems.map(({ line, path }) => [line, path]),
        [[5, "aliases.1.from"]]
      )
      const nonsense = yield* mistakes("aliases:\n  - from: FB\n    to: META\n    on: yesterday\n")
      assert.deepStrictEqual([nonsense.problems[0].line, nonsense.problems[0].expected], [4, "a date, as 2022-06-09"])
    })
  )

  test(
    "an empty file means the defaults, and says that it sets nothing",
    Effect.gen(function* () {
      for (const text of ["", "# nothing\n", "{}"]) {
        const { config, file } = yield* load(text)
        assert.deepStrictEqual(config, { ...TapestryConfig.defaults, file })
      }
      assert.isTrue(TapestryConfig.defaults.sample)
      assert.strictEqual(TapestryConfig.defaults.maxRows, 10_000_000)
      assert.strictEqual(TapestryConfig.defaults.archive.payloadLimit, 67_108_864)
      assert.strictEqual(TapestryConfig.defaults.minFree, 67_108_864)
    })
  )

  test(
    "paths are relative to the file, sizes and durations have units, and the keys that were set are known",
    Effect.gen(function* () {
      const { config, directory } = yield* load(`dataDir: store
logLevel: debug
sample: false
limits: { maxRows: 1000, payloadLimit: 8 MiB, minFree: 2 GiB }
${vendor}    rejects: /var/rejects
    finalityDelay: 2d
    account: shared
    quota:
      concurrency: 2
      maxInFlight: 1
      windows: [{ name: minute, limit: 60, span: 60000, key: null }]
`)
      const path = yield* Path.Path
      assert.strictEqual(config.dataDir, path.join(directory, "store"))
      assert.strictEqual(config.logLevel, "debug")
      assert.isFalse(config.sample)
      assert.strictEqual(config.maxRows, 1000)
      assert.strictEqual(config.archive.payloadLimit, 8_388_608)
      assert.strictEqual(config.minFree, 2 * 1_073_741_824)
      assert.deepStrictEqual(Array.from(config.keys).sort(), [
        "dataDir",
        "limits.maxRows",
        "limits.minFree",
        "limits.payloadLimit",
        "logLevel",
        "sample",
        "vendors.spy"
      ])
      const [spy] = config.vendors
      if (spy?.adapter !== "file") return assert.fail("no vendor of files")
      assert.strictEqual(spy?.name, "spy")
      assert.strictEqual(spy?.account, "shared")
      assert.strictEqual(spy?.finalityDelay, 2 * 86_400_000)
      assert.strictEqual(spy?.maxFileSize, 8_388_608)
      assert.strictEqual(spy?.concurrency, 2)
      assert.strictEqual(spy?.maxInFlight, 1)
      assert.deepStrictEqual(spy?.windows, [{ name: "minute", limit: 60, span: 60_000, key: null }])
      const [entry] = spy?.entries ?? []
      assert.strictEqual(entry?.root, path.join(directory, "data"))
      assert.strictEqual(entry?.rejects, "/var/rejects")
      assert.strictEqual(entry?.decoding.timeframe, "1d")
    })
  )

  test(
    "serve says where to listen and whom to answer; what it leaves out is the default",
    Effect.gen(function* () {
      const { config } = yield* load(`serve:
  http: "[::1]:7171"
  tcp: off
  allowedHosts: [tape.example, "tape.example:8080"]
`)
      assert.deepStrictEqual(config.serve, {
        http: { host: "::1", port: 7171 },
        tcp: null,
        allowedHosts: ["tape.example", "tape.example:8080"],
        allowedOrigins: [],
        feeds: { maxQueueSize: 100, maxMessagesPerSecond: 1_000, heartbeatInterval: 30_000 }
      })
      assert.deepStrictEqual(Array.from(config.keys).sort(), ["serve.allowedHosts", "serve.http", "serve.tcp"])
      const { config: other } = yield* load("serve: { wsMaxQueueSize: 7, wsHeartbeatInterval: 5s }\n")
      assert.deepStrictEqual(other.serve.feeds, {
        maxQueueSize: 7,
        maxMessagesPerSecond: 1_000,
        heartbeatInterval: 5_000
      })
      for (const wrong of ["wsMaxQueueSize: 0", "wsMaxMessagesPerSecond: 0.5", "wsHeartbeatInterval: 10ms"]) {
        const error = yield* mistakes(`serve:\n  ${wrong}\n`)
        assert.deepStrictEqual(
          error.problems.map(({ path }) => path),
          [`serve.${wrong.split(":")[0]}`]
        )
      }
      for (const wrong of ["7070", ":7070", "localhost", "1.2.3.4:99999", "::1:7070", "[1.2.3.4]:7070", "a b:1"]) {
        const error = yield* mistakes(`serve:\n  http: ${JSON.stringify(wrong)}\n`)
        assert.deepStrictEqual(
          error.problems.map(({ expected, line, path }) => ({ expected: expected.slice(0, 9), line, path })),
          [{ expected: "HOST:PORT", line: 2, path: "serve.http" }]
        )
      }
    })
  )

  test(
    "a wrong file names the line, the key's path, what was expected and what was found",
    Effect.gen(function* () {
      const error = yield* mistakes(`${vendor}    columns:
      ts: 17
`)
      assert.deepStrictEqual(error.problems, [
        {
          path: "vendors.spy.columns.ts",
          line: 8,
          expected: "the name of a column",
          found: "17",
          remedy: null
        }
      ])
      assert.match(
        error.message,
        /tapestry\.yaml: line 8: vendors\.spy\.columns\.ts: expected the name of a column, found 17$/
      )
    })
  )

  test(
    "a vendor names one of the known kinds of adapter",
    Effect.gen(function* () {
      const error = yield* mistakes(`vendors:
  a: { adapter: fille }
  b: { root: data }
  c: [1]
`)
      assert.deepStrictEqual(
        error.problems.map(({ found, line, path, remedy }) => ({ found, line, path, remedy })),
        [
          { found: '"fille"', line: 2, path: "vendors.a.adapter", remedy: "did you mean file?" },
          { found: "nothing", line: 3, path: "vendors.b.adapter", remedy: "add it" },
          { found: "[1]", line: 4, path: "vendors.c", remedy: null }
        ]
      )
    })
  )

  test(
    "preferences and rules of reconciliation name vendors that there are",
    Effect.gen(function* () {
      const { config } = yield* load(`${vendor}preferences:
  us: { vendors: [spy, sample], on: [NotFound], symbols: { brk.b: { spy: BRK-B } } }
reconcile:
  - { vendors: [spy, sample], symbols: [spx], timeframes: [1d], tolerance: { price: 0.01, close: 0.5, volume: 5% } }
`)
      const [us] = config.preferences
      assert.deepStrictEqual(us === undefined ? [] : VendorPreference.vendorsFor(us, "BRK.B"), [
        { vendor: "spy", symbol: "BRK-B" },
        { vendor: "sample", symbol: "BRK.B" }
      ])
      const cent = { value: 0.01, relative: false }
      assert.deepStrictEqual(config.reconcile, [
        {
          left: "spy",
          right: "sample",
          symbols: ["SPX"],
          timeframes: ["1d"],
          tolerances: {
            open: cent,
            high: cent,
            low: cent,
            close: { value: 0.5, relative: false },
            volume: { value: 0.05, relative: true }
          }
        }
      ])
      const error = yield* mistakes(`${vendor}preferences:
  spy: { vendors: [sample] }
  us: { vendors: [spy, sapmle, spy], symbols: { A: { other: B } } }
reconcile:
  - { vendors: [spy, spy] }
`)
      assert.deepStrictEqual(
        error.problems.map(({ line, path, remedy }) => [line, path, remedy]),
        [
          [8, "preferences.spy", "rename it"],
          [9, "preferences.us.vendors.1", "did you mean sample?"],
          [9, "preferences.us.vendors.2", "remove it"],
          [9, "preferences.us.symbols.A.other", null],
          [11, "reconcile.0.vendors.1", null]
        ]
      )
      const shape = yield* mistakes(
        "reconcile:\n  - { vendors: [spy] }\n  - { vendors: [a, b], tolerance: { close: close } }\n"
      )
      assert.deepStrictEqual(
        shape.problems.map(({ expected, line, path }) => [line, path, expected]),
        [
          [2, "reconcile.0.vendors.1", "a value"],
          [3, "reconcile.1.tolerance.close", "a number, such as 0.001, or a percentage, such as 5%"]
        ]
      )
    })
  )

  test(
    "an unknown key is refused with the key that was probably meant",
    Effect.gen(function* () {
      const error = yield* mistakes(`${vendor}    timestmap: iso\nlogLevl: info\n`)
      assert.deepStrictEqual(
        error.problems.map(({ line, path, remedy }) => ({ line, path, remedy })),
        [
          { line: 7, path: "vendors.spy.timestmap", remedy: "did you mean timestamp?" },
          { line: 8, path: "logLevl", remedy: "did you mean logLevel?" }
        ]
      )
      const far = yield* mistakes("bananas: 1\n")
      assert.strictEqual(far.problems[0]?.remedy, "remove it")
      assert.strictEqual(
        far.problems[0]?.expected,
        "one of dataDir, logLevel, sample, limits, archive, serve, batch, options, calendars, preferences, reconcile, aliases, vendors"
      )
    })
  )

  for (const [what, line, path, expected] of [
    ["    timeframe2: x\n", 7, "vendors.spy.timeframe2", /^one of the known keys/],
    ["    scale: 0.0001\n", 7, "vendors.spy.scale", /^a whole number from 1 /],
    ["    scale: ten\n", 7, "vendors.spy.scale", /^a whole number from 1 /],
    ["    header: true\n", 7, "vendors.spy.header", /^the word "line"/],
    ["    delimiter: ';;'\n", 7, "vendors.spy.delimiter", /^one ASCII character/],
    ["    format: xml\n", 7, "vendors.spy.format", /"csv", "ndjson" or "json"/],
    ["    zone: New York\n", 7, "vendors.spy.zone", /IANA zone/],
    ["    timestamp: YYYY-MM-DD\n", 7, "vendors.spy.timestamp", /pattern/],
    ["    timestamp: millis-of-day\n", 7, "vendors.spy.timestamp", /needs a path with a day/],
    ["    member: '{sym}.csv'\n", 7, "vendors.spy.member", /\{symbol\}/],
    ["    finalityDelay: soon\n", 7, "vendors.spy.finalityDelay", /^a duration/],
    ["    calendar: XNYC\n", 7, "vendors.spy.calendar", /^the name of a calendar: .*XNYS/],
    ["    calendar: 5\n", 7, "vendors.spy.calendar", /^the name of a trading calendar, such as XNYS/],
    ["    recheckAfter: later\n", 7, "vendors.spy.recheckAfter", /^a duration/],
    ["    maxFileSize: 0\n", 7, "vendors.spy.maxFileSize", /^a size above 0/],
    ["    badRows: ignore\n", 7, "vendors.spy.badRows", /"fail" or "skip"/],
    ["    header: [ts, o]\n    columns: { open: op }\n", 8, "vendors.spy.columns.open", /one of the columns in header/],
    ["    entries:\n      a: { path: x.csv }\n", 8, "vendors.spy.entries.a.symbols", /exactly one symbol/],
    ["    entries: {}\n", 7, "vendors.spy.entries", /at least one entry/],
    ["    quota:\n      concurrency: 0\n", 8, "vendors.spy.quota.concurrency", /whole number above 0/]
  ] as const) {
    test(
      `a mistake is placed: ${what.trim().replaceAll("\n", " ")}`,
      Effect.gen(function* () {
        const error = yield* mistakes(vendor + what)
        const found = error.problems.find((problem) => problem.path === path)
        assert.isDefined(found, JSON.stringify(error.problems))
        assert.strictEqual(found?.line, line)
        assert.match(found?.expected ?? "", expected)
      })
    )
  }

  for (const [text, path, expected] of [
    ["vendors:\n  a:\n    adapter: yahoo2\n", "vendors.a.adapter", /"file"/],
    ["vendors:\n  a:\n    root: x\n", "vendors.a.adapter", /"file"/],
    [
      "vendors:\n  a: { adapter: file, root: x, path: y.csv, symbols: [S] }\n",
      "vendors.a.timeframe",
      /length of the bars/
    ],
    ["vendors: [1]\n", "vendors", /mapping of vendor names/],
    ["sample: maybe\n", "sample", /true or false/],
    ["limits: { maxRows: -1 }\n", "limits.maxRows", /whole number of rows/],
    ["limits: { payloadLimit: 3 parsecs }\n", "limits.payloadLimit", /size above 0/],
    ["logLevel: loud\n", "logLevel", /"debug"/],
    ["- 1\n", "", /object|mapping/],
    [
      "vendors:\n  Spy Co:\n    adapter: file\n    root: a\n    path: x.csv\n    symbols: [S]\n    timeframe: 1d\n",
      "vendors.Spy Co",
      /lower-case/
    ]
  ] as const) {
    test(
      `a mistake is named: ${text.replaceAll("\n", " ").trim()}`,
      Effect.gen(function* () {
        const error = yield* mistakes(text)
        const found = error.problems.find((problem) => problem.path === path)
        assert.isDefined(found, JSON.stringify(error.problems))
        assert.match(found?.expected ?? "", expected)
      })
    )
  }

  test(
    "a vendor names a calendar that there is, an entry another one or none; one of this file counts",
    Effect.gen(function* () {
      const close = yield* mistakes(`${vendor}    calendar: XNYC\n`)
      assert.strictEqual(close.problems[0]?.remedy, "did you mean XNYS?")
      const far = yield* mistakes(`${vendor}    calendar: Mars\n`)
      assert.strictEqual(far.problems[0]?.remedy, "describe it under calendars")
      const other = yield* mistakes("vendors:\n  y: { adapter: yahoo, calendar: XNYC }\n")
      assert.deepStrictEqual(
        other.problems.map(({ path, remedy }) => [path, remedy]),
        [["vendors.y.calendar", "did you mean XNYS?"]]
      )
    })
  )

  test(
    "two entries that answer the same question, or are cut differently, are refused",
    Effect.gen(function* () {
      const base = "vendors:\n  a:\n    adapter: file\n    root: r\n    timeframe: 1m\n    entries:\n"
      const twins = yield* mistakes(`${base}      x: { path: "x/{symbol}.csv" }\n      y: { path: "y/{symbol}.csv" }\n`)
      assert.strictEqual(twins.problems[0]?.path, "vendors.a.entries.y")
      assert.strictEqual(twins.problems[0]?.remedy, "give one of them a dataset")
      const cuts = yield* mistakes(
        `${base}      x: { path: "{symbol}.csv" }\n      y: { path: "{symbol}/{yyyyMMdd}.csv", price: bid }\n`
      )
      assert.strictEqual(cuts.problems[0]?.remedy, "make it a vendor of its own")
    })
  )

  test(
    "all mistakes of a file are told at once, in the order of its lines",
    Effect.gen(function* () {
      const error = yield* mistakes("sample: 1\nlogLevel: 2\ndataDir: 3\n")
      assert.deepStrictEqual(
        error.problems.map((problem) => problem.path),
        ["sample", "logLevel", "dataDir"]
      )
      assert.match(error.message, /3 mistakes\n {2}line 1: sample: /)
    })
  )

  test(
    "text that is not YAML is refused with its line",
    Effect.gen(function* () {
      const duplicate = yield* mistakes("vendors:\n  a: 1\n  a: 2\n")
      assert.strictEqual(duplicate.problems[0]?.line, 3)
      assert.strictEqual(duplicate.problems[0]?.found, "duplicate key 'a'")
      const tabs = yield* mistakes("vendors:\n\ta: 1\n")
      assert.strictEqual(tabs.problems[0]?.line, 2)
      const flow = yield* mistakes("sample: true\nvendors: [1, 2\nlogLevel: info\n")
      assert.strictEqual(flow.problems[0]?.line, 2)
      assert.notInclude(flow.message, "offset")
      const alias = yield* mistakes("sample: true\nvendors: { a: *b }\n")
      assert.match(alias.message, /line 2: expected YAML, found unknown alias '\*b'$/)
      const deep = yield* mistakes("[".repeat(50_000))
      assert.match(deep.message, /nested too deeply$/)
      const list = yield* mistakes("- 1\n- 2\n")
      assert.match(list.message, /expected a mapping with keys such as dataDir and vendors, found \[1,2\]/)
    })
  )

  test(
    "one mistake is told once",
    Effect.gen(function* () {
      const error = yield* mistakes(
        'vendors:\n  a:\n    adapter: file\n    root: r\n    path: "{symbol}.csv"\n    timeframe: 1d\n    scale: 0.5\n'
      )
      assert.strictEqual(error.problems.length, 1)
    })
  )

  test(
    "a vendor named sample needs the bundled one to give its name up",
    Effect.gen(function* () {
      const text = 'vendors:\n  sample:\n    adapter: file\n    root: r\n    path: "{symbol}.csv"\n    timeframe: 1d\n'
      const error = yield* mistakes(text)
      assert.match(error.message, /line 2: vendors\.sample: expected another name.*sample: false/)
      assert.isFalse((yield* load(`sample: false\n${text}`)).config.sample)
    })
  )

  test(
    "a file that is not there, or is a directory, is a typed error that names it",
    Effect.gen(function* () {
      const missing = yield* Effect.flip(TapestryConfig.load("/nowhere/tapestry.yaml"))
      assert.strictEqual(missing.file, "/nowhere/tapestry.yaml")
      assert.match(missing.message, /no such file; give another with --config/)
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      assert.instanceOf(yield* Effect.flip(TapestryConfig.load(directory)), ConfigurationError)
    })
  )
})
