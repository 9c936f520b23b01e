/** What docs/cli.md and the README say about the command line, against what the bundle prints. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { json, ok, scratch, spx } from "./tapestry.ts"

const text = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8")
const manual = text("docs/cli.md")

const where = { cwd: scratch("documents") }
const half = ["--from", "2008-07-01", "--to", "2009-01-01"]
const year = ["--from", "2008-07-01", "--to", "2009-07-01"]

/** The JSON documents of the manual, by the words that stand before them. */
const documented = (words: string): unknown => {
  const at = manual.indexOf(words)
  assert.isAtLeast(at, 0, `docs/cli.md has no longer ${words}`)
  return JSON.parse(/```json\n([\s\S]*?)```/.exec(manual.slice(at))?.[1] ?? "null")
}

/** The documents of the manual that are given by their keys alone: `{"a","b":[...]}`. */
const listed = (document: object): string => `{${Object.keys(document).map((key) => `"${key}"`)}}`

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The keys and the kinds of their values, everywhere. `{}` in the manual stands for what depends on the vendor. */
const sameShape = (printed: unknown, shown: unknown, path: string): void => {
  if (Array.isArray(shown)) {
    assert.isArray(printed, path)
    for (const item of Array.isArray(printed) ? printed : []) sameShape(item, shown[0], `${path}[]`)
    return
  }
  if (isRecord(shown)) {
    assert.isTrue(isRecord(printed), `${path}: ${JSON.stringify(printed)}`)
    if (Object.keys(shown).length === 0 || !isRecord(printed)) return
    assert.deepStrictEqual(Object.keys(printed).sort(), Object.keys(shown).sort(), path)
    for (const [key, value] of Object.entries(shown)) sameShape(printed[key], value, `${path}.${key}`)
    return
  }
  if (shown !== null && printed !== null) assert.strictEqual(typeof printed, typeof shown, path)
}

/** Every instant of a document is ISO 8601 with milliseconds in UTC. A request's params and body are in the vendor's own words. */
const instantsOf = (document: unknown, path = ""): void => {
  if (typeof document !== "object" || document === null) return
  for (const [key, value] of Object.entries(document)) {
    const place = `${path}.${key}`
    if (key === "params" || key === "body") continue
    if (
      /^(ts|start|end|until|asOf|first|last|recheckAfter|startedAt|endedAt|askedAt|\w+edAt)$/.test(key) &&
      value !== null
    )
      assert.match(String(value), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, place)
    instantsOf(value, place)
  }
}

describe("docs/cli.md", () => {
  it("calendar", () => {
    const printed = json(where, 0, "calendar", "XNYS", "--from", "2024-11-28", "--to", "2024-11-30")
    assert.deepStrictEqual(printed, documented("**`calendar NAME`**"))
    const { calendars } = json(where, 0, "calendar")
    assert.deepStrictEqual(Object.keys(calendars[0]).sort(), ["known", "name", "title", "zone"])
  })

  it("bars, its plan and its rows", () => {
    ok(where, "bars", ...spx, ...half)
    const plan = json(where, 0, "bars", ...spx, ...year, "--plan")
    sameShape(plan, documented("**`bars --plan`**"), "plan")
    instantsOf(plan)
    const bars = json(where, 0, "bars", ...spx, ...year)
    assert.deepStrictEqual(bars, documented("**`bars`**"), "the document of the manual is this very one")
    const [row] = ok(where, "bars", ...spx, "--from", "2019-01-02", "--to", "2019-01-03", "--format", "ndjson").split(
      "\n"
    )
    assert.strictEqual(row, JSON.stringify(documented("2019-01-02T00:00:00.000Z,2476.959961")))
  })

  it("an error", () => {
    assert.deepStrictEqual(json(where, 1, "vendors", "ping", "nope"), documented("**An error**"))
  })

  it("export and its check", () => {
    const whole = ["--from", "2008-01-01", "--to", "2009-01-01", "--out", "spx"]
    const exported = json(where, 0, "export", ...spx, ...whole)
    sameShape(exported, documented("**`export`**"), "export")
    instantsOf(exported)
    sameShape(json(where, 0, "export", "verify", "spx"), documented("**`export verify`**"), "export verify")
  })

  it("explain", () => {
    const explain = json(where, 0, "explain", ...spx, "--at", "2008-09-29")
    const shown = documented("**`explain`**")
    sameShape(explain, shown, "explain")
    if (isRecord(shown)) {
      assert.deepStrictEqual(explain.row, shown.row)
      assert.strictEqual(explain.position, shown.position)
    }
  })

  it("instants of the archive's records are text, as everywhere", () => {
    instantsOf(json(where, 0, "explain", ...spx, "--at", "2008-09-29"), "explain")
    for (const list of ["sessions", "requests", "responses"]) instantsOf(json(where, 0, "archive", list), list)
    for (const kind of ["session", "request", "response"])
      instantsOf(json(where, 0, "archive", "show", "1", "--kind", kind), kind)
  })

  it("the documents that are given by their keys", () => {
    const stats = json(where, 0, "archive", "stats")
    assert.include(manual, listed(stats))
    const verify = json(where, 0, "archive", "verify")
    assert.deepStrictEqual(Object.keys(verify), Object.keys(documented("`verify`:") ?? {}))
    const coverage = json(where, 0, "coverage", ...spx, ...year)
    assert.deepStrictEqual(Object.keys(coverage), ["series", "range", "coverage"])
    instantsOf(coverage)
    const { series } = json(where, 0, "series", "list")
    const keys = listed(series[0]).replace('"key"', `"key":${listed(series[0].key)}`)
    assert.include(manual, `{"series":[${keys.replace('"series"', '"series":"v1/..."')}]}`)
    const { vendors } = json(where, 0, "vendors", "list")
    assert.include(
      manual,
      `{"vendors":[${listed(vendors[0]).replace('"capabilities"', '"capabilities":["fetch"]').replace('"limits"', '"limits":{}')}]}`
    )
    const { vendor } = json(where, 0, "vendors", "describe", "sample")
    assert.deepStrictEqual(Object.keys(vendor), [...Object.keys(vendors[0]), "symbols"])
    assert.deepStrictEqual(Object.keys(json(where, 0, "vendors", "ping", "sample")), [
      "vendor",
      "ok",
      "elapsedMillis",
      "detail"
    ])
    assert.deepStrictEqual(Object.keys(json(where, 0, "config").values[0]), ["key", "value", "origin"])
    assert.deepStrictEqual(Object.keys(json(where, 0, "doctor").checks[0]), ["name", "result", "detail"])
    assert.deepStrictEqual(Object.keys(json(where, 0, "demo", "--once", "--live", "0")), [
      "half",
      "plan",
      "year",
      "again",
      "explain",
      "live"
    ])
    assert.deepStrictEqual(json(where, 0, "series", "forget", series[0].series), {
      series: series[0].series,
      rows: series[0].rows
    })
  })
})

describe("README.md", () => {
  it("its commands work, one after the other, and show the missing half, the source line and the sha256", () => {
    const directory = { cwd: scratch("readme") }
    const commands = [...text("README.md").matchAll(/^npm run -s tapestry -- (.*)$/gm)].map(([, line = ""]) =>
      line.split(" ")
    )
    assert.isAtLeast(commands.length, 6)
    const said = commands.map((command) => ok(directory, ...command))
    assert.match(said[0] ?? "", /124 rows of SPX 1d: 0 from the store, 124 from sample in 1 request/)
    assert.match(
      said[1] ?? "",
      /2019-01-01 {2}2019-07-01 +store +covered[^\n]*\n2019-07-01 {2}2020-01-01 +sample +missing +1 /
    )
    assert.strictEqual(readFileSync(`${directory.cwd}/spx.csv`, "utf8").trimEnd().split("\n").length, 253)
    assert.match(said[4] ?? "", /line 4929 of sp500-2000\.csv[\s\S]*sha256 +[0-9a-f]{64}/)
    const saidBy = (line: string) => said[commands.findIndex((command) => command.join(" ").startsWith(line))] ?? ""
    assert.match(saidBy("calendar XNYS"), /2024-11-29/)
    assert.match(
      saidBy("export verify"),
      /252 rows in 1 file [^\n]*as they were written\n\d+ answers? [^\n]*compared by sha256/
    )
    assert.match(saidBy("archive verify"), /all as they came/)
    assert.match(saidBy("rebuild --check"), /1 series compared with the archive[^\n]*all the same/)
  })

  it("its links lead to files", () => {
    const prose = text("README.md").replaceAll(/```[\s\S]*?```/g, "")
    const links = [...prose.matchAll(/\]\(((?!https?:)[^)]+)\)/g)].map(([, link = ""]) => link)
    assert.isAbove(links.length, 10)
    for (const link of links) assert.isNotEmpty(text(link), link)
  })
})
