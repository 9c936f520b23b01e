import { assert, describe, it } from "@effect/vitest"
import { json, ok, scratch, spx, tapestry } from "./tapestry.ts"

const where = { cwd: scratch("usage") }
const year = ["--from", "2008-01-01", "--to", "2009-01-01"]

const wrong: ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp]> = [
  ["an unknown flag", ["bars", ...spx, "--form", "2008-01-01"], /Unrecognized flag: --form.*did you mean --from/],
  ["an unknown command", ["bar", ...spx], /Unknown subcommand "bar".*did you mean bars/],
  ["no symbol", ["bars", "--vendor", "sample", "--timeframe", "1d", ...year], /Missing required argument: symbol/],
  ["no vendor", ["bars", "SPX", "--timeframe", "1d", ...year], /Missing required flag: --vendor/],
  ["a second symbol", ["bars", ...spx, "NDX", ...year], /Unexpected positional argument: "NDX"/],
  ["an unknown timeframe", ["bars", "SPX", "--vendor", "sample", "--timeframe", "7m", ...year], /--timeframe: "7m"/],
  ["a bad date", ["bars", ...spx, "--from", "2008-02-30"], /--from 2008-02-30: no such date: that month has 29 days/],
  ["no date at all", ["bars", ...spx, "--from", "yesterday"], /--from yesterday: not a date/],
  ["a naive date-time", ["bars", ...spx, "--from", "2008-01-01T09:30"], /needs its offset from UTC/],
  ["a reversed range", ["bars", ...spx, "--from", "2009-01-01", "--to", "2008-01-01"], /the range is reversed/],
  ["a range without length", ["bars", ...spx, "--from", "2009-01-01", "--to", "2009-01-01"], /holds nothing/],
  ["a range in the future", ["bars", ...spx, "--from", "2999-01-01"], /is in the future/],
  ["no range", ["bars", ...spx], /the range is missing/],
  ["--to alone", ["bars", ...spx, "--to", "2009-01-01"], /the range is missing/],
  ["--last beside --from", ["bars", ...spx, "--last", "30d", "--from", "2008-01-01"], /leave out --from/],
  ["a span in months", ["bars", ...spx, "--last", "3mo"], /--last 3mo: not a length of time/],
  ["an unknown zone", ["bars", ...spx, ...year, "--tz", "Mars/Phobos"], /--tz Mars\/Phobos: not a time zone/],
  ["an unknown policy", ["bars", ...spx, ...year, "--policy", "never"], /--policy: "never"/],
  ["an unknown format", ["bars", ...spx, ...year, "--format", "xlsx"], /--format: "xlsx"/],
  ["a limit of nothing", ["bars", ...spx, ...year, "--limit", "0"], /expected 1 or more/],
  ["a limit that is no number", ["bars", ...spx, ...year, "--limit", "ten"], /--limit/],
  ["--json beside --format", ["bars", ...spx, ...year, "--json", "--format", "csv"], /--json prints one document/],
  ["--plan with --as-of", ["bars", ...spx, ...year, "--plan", "--as-of", "2020-01-01"], /there is no plan/],
  ["explain without --at", ["explain", ...spx], /Missing required flag: --at/],
  ["an id that is none", ["archive", "show", "first"], /Invalid value for argument <id>/],
  ["bytes by a wrong name", ["archive", "cat", "xyz"], /expected a response's id or a sha256/],
  ["half a series key", ["series", "forget", "v1/sample"], /not a series key/],
  ["a symbol alone", ["series", "forget", "SPX"], /add --vendor and --timeframe/],
  ["a command group alone", ["archive"], /USAGE\n {2}tapestry archive/]
]

describe("wrong usage ends with 2", () => {
  for (const [name, args, said] of wrong) {
    it(name, () => {
      const run = tapestry(where, ...args)
      assert.strictEqual(run.code, 2, run.stderr)
      assert.match(run.stderr, said)
      assert.match(run.stderr, /usage: tapestry|USAGE/)
      assert.notMatch(run.stderr, /\n\s+at /)
      if (!args.includes("--json")) assert.strictEqual(run.stdout, "")
    })
  }

  it("with --json standard output is the error document, wherever the flag is", () => {
    for (const args of [
      ["--json", "bars", ...spx, "--form", "x"],
      ["bars", ...spx, "--form", "x", "--json"]
    ]) {
      const run = tapestry(where, ...args)
      assert.strictEqual(run.code, 2)
      assert.deepStrictEqual(JSON.parse(run.stdout), {
        error: {
          _tag: "UsageError",
          reason: "UnrecognizedOption",
          message: "Unrecognized flag: --form in command tapestry bars; did you mean --from or --format?"
        }
      })
    }
    const { error } = json(where, 2, "bars", ...spx, "--from", "2009-01-01", "--to", "2008-01-01")
    assert.strictEqual(error._tag, "UsageError")
    assert.strictEqual(error.reason, "ValidationError")
    assert.match(error.message, /reversed/)
    assert.strictEqual(json(where, 2, "vendors").error.reason, "MissingSubcommand")
  })

  it("an environment variable that cannot be meant", () => {
    const run = tapestry({ ...where, env: { LOG_LEVEL: "loud" } }, "config")
    assert.strictEqual(run.code, 2)
    assert.match(run.stderr, /LOG_LEVEL=loud: expected one of all, trace, debug/)
  })
})

describe("help", () => {
  const commands = [
    [],
    ["demo"],
    ["bars"],
    ["coverage"],
    ["explain"],
    ["series"],
    ["series", "list"],
    ["series", "forget"],
    ["vendors"],
    ["vendors", "list"],
    ["vendors", "describe"],
    ["vendors", "ping"],
    ["archive"],
    ["archive", "sessions"],
    ["archive", "requests"],
    ["archive", "responses"],
    ["archive", "show"],
    ["archive", "cat"],
    ["archive", "verify"],
    ["archive", "stats"],
    ["serve"],
    ["config"],
    ["doctor"]
  ]
  for (const command of commands) {
    it(`of 'tapestry ${command.join(" ")}' goes to standard output, ends with 0 and fits a page`, () => {
      const run = tapestry(where, ...command, "--help")
      assert.strictEqual(run.code, 0)
      assert.strictEqual(run.stderr, "")
      assert.include(run.stdout, `tapestry ${command.join(" ")}`.trim())
      assert.match(run.stdout, /--data-dir DIR/)
      assert.isAtMost(Math.max(...run.stdout.split("\n").map((line) => line.length)), 110)
      const isGroup = ["", "series", "vendors", "archive"].includes(command.join(" "))
      assert.match(run.stdout, isGroup ? /COMMANDS/ : /EXAMPLES/)
    })
  }

  it("says that --to is exclusive and what --limit shows", () => {
    const text = ok(where, "bars", "--help").replace(/\s+/g, " ")
    assert.match(text, /--to DATE End of the range, itself not part of it; now unless given/)
    assert.match(text, /--limit N Show only the first N rows/)
  })

  it("version and completions", () => {
    assert.match(ok(where, "--version"), /^tapestry \d+\.\d+\.\d+\n$/)
    for (const shell of ["bash", "zsh", "fish", "powershell"]) {
      assert.include(ok(where, "--completions", shell), "tapestry")
    }
  })
})

describe("settings", () => {
  it("flag before environment before file before default, each with its origin", () => {
    const env = { TAPESTRY_DATA_DIR: "from-environment", LOG_LEVEL: "warn" }
    const of = (document: { values: ReadonlyArray<{ key: string; value: unknown; origin: string }> }, key: string) =>
      document.values.find((value) => value.key === key)
    const plain = json(where, 0, "config")
    assert.deepStrictEqual(of(plain, "dataDir"), { key: "dataDir", value: ".tapestry", origin: "default" })
    assert.deepStrictEqual(of(plain, "config"), { key: "config", value: null, origin: "default" })
    const environment = json({ ...where, env }, 0, "config")
    assert.deepStrictEqual(of(environment, "dataDir"), {
      key: "dataDir",
      value: "from-environment",
      origin: "environment"
    })
    assert.deepStrictEqual(of(environment, "logLevel"), { key: "logLevel", value: "warn", origin: "environment" })
    const flags = json({ ...where, env }, 0, "--data-dir", "from-flag", "config", "--log-level", "error")
    assert.deepStrictEqual(of(flags, "dataDir"), { key: "dataDir", value: "from-flag", origin: "flag" })
    assert.deepStrictEqual(of(flags, "logLevel"), { key: "logLevel", value: "error", origin: "flag" })
  })
})
