/** From a row to the bytes, and the archive as the command line shows it. */
import { createHash } from "node:crypto"
import { readdirSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { json, ok, scratch, shell, spx, tapestry } from "./tapestry.ts"

const where = { cwd: scratch("receipts") }
ok(where, "bars", ...spx, "--from", "2008-07-01", "--to", "2009-01-01")

describe("X1: explain", () => {
  it("leads from a row to the line of the file and the sha256 of its bytes", () => {
    const receipt = json(where, 0, "explain", ...spx, "--at", "2008-09-29")
    assert.strictEqual(receipt.row.close, 1106.420044)
    assert.strictEqual(receipt.position, 2199)
    assert.deepStrictEqual(receipt.excerpt, {
      label: "line 2199 of sp500-2000.csv",
      text: "2008-09-29,1209.069946,1209.069946,1106.420044,1106.420044,1106.420044,7305060000"
    })
    assert.match(receipt.response.fetchedAt, /^\d{4}-\d{2}-\d{2}T.*Z$/)
    assert.strictEqual(receipt.request.kind, "bars")
    assert.strictEqual(receipt.request.subject.range.start, "2008-07-01T00:00:00.000Z")
    assert.deepStrictEqual(receipt.attempts, [receipt.response])

    const bytes = shell(where, `tapestry archive cat ${receipt.response.id}`).stdout
    assert.strictEqual(createHash("sha256").update(bytes).digest("hex"), receipt.response.sha256)
    assert.strictEqual(bytes.split("\n")[receipt.position - 1]?.trimEnd(), receipt.excerpt.text)
    assert.strictEqual(ok(where, "archive", "cat", receipt.response.sha256), bytes)
  })

  it("tells it in words, too", () => {
    const text = ok(where, "explain", ...spx, "--at", "2008-09-29")
    assert.match(text, /^SPX 1d from sample, 2008-09-29\n/)
    assert.match(text, /close 1106\.420044 {2}volume 7,305,060,000/)
    assert.match(text, /came from line 2199 of sp500-2000\.csv/)
    assert.match(text, /sha256 {4}[0-9a-f]{64}\n/)
    assert.match(text, /attempts {2}1: asked \S+Z, fetched \S+Z, ok,\s+waited\s+0\s+s\s+for\s+the\s+budget\n/)
  })

  it("says why there is no row", () => {
    const weekend = tapestry(where, "explain", ...spx, "--at", "2008-09-28")
    assert.strictEqual(weekend.code, 1)
    assert.match(weekend.stderr, /2008-09-28 is covered: response 1 covers it and has no row there\nerror: no row of/)
    assert.match(tapestry(where, "explain", ...spx, "--at", "2007-01-03").stderr, /is missing: not asked for yet/)
    const { error } = json(where, 1, "explain", ...spx, "--at", "2008-09-28")
    assert.deepStrictEqual([error._tag, error.reason], ["StitchingCacheError", "NoSuchRow"])
  })
})

describe("coverage", () => {
  it("draws the range as a strip with a legend and lists the intervals", () => {
    const text = ok(where, "coverage", ...spx, "--from", "2008-01-01", "--to", "2009-01-01")
    const [title, , strip = "", ends = "", , legend] = text.split("\n")
    assert.strictEqual(title, "SPX 1d from sample, 2008-01-01 to 2009-01-01")
    assert.match(strip, /^ {2}_{37,39}█{37,39}$/)
    assert.strictEqual(ends.length, strip.length)
    assert.strictEqual(legend, "  _ missing   █ covered")
    assert.match(
      text,
      /2008-01-01 {2}2008-07-01 {6}missing {2}not asked for yet\n2008-07-01 {2}2009-01-01 {6}covered {2}response 1/
    )
  })

  it("without a range shows all that is known", () => {
    const { range, coverage } = json(where, 0, "coverage", ...spx)
    assert.deepStrictEqual(range, { start: "2008-07-01T00:00:00.000Z", end: "2009-01-01T00:00:00.000Z" })
    assert.strictEqual(coverage.length, 1)
  })
})

describe("series", () => {
  it("are listed, and forgotten without losing what the vendor sent", () => {
    const other = { cwd: scratch("series") }
    ok(other, "bars", ...spx, "--from", "2008-07-01", "--to", "2009-01-01")
    const { series } = json(other, 0, "series", "list")
    assert.strictEqual(series.length, 1)
    assert.strictEqual(series[0].rows, 128)
    assert.match(ok(other, "series", "list"), /sample {2}SPX {5}1d {10}128/)
    assert.deepStrictEqual(json(other, 0, "series", "forget", series[0].series), {
      series: series[0].series,
      rows: 128
    })
    assert.deepStrictEqual(json(other, 0, "series", "list"), { series: [] })
    const again = json(other, 0, "bars", ...spx, "--from", "2008-07-01", "--to", "2009-01-01")
    assert.strictEqual(again.rowCount, 128)
    assert.strictEqual(again.requests, 0)
    assert.strictEqual(json(other, 0, "series", "forget", ...spx).rows, 128)
    assert.strictEqual(json(other, 1, "series", "forget", ...spx).error.reason, "UnknownSeries")
  })
})

describe("archive", () => {
  it("lists sessions, requests and responses, newest first, and shows each", () => {
    const { sessions } = json(where, 0, "archive", "sessions")
    assert.strictEqual(sessions[0].outcome, "ok")
    const { requests } = json(where, 0, "archive", "requests", "--session", String(sessions[0].id))
    assert.strictEqual(requests[0].outcome, "fetched")
    const { responses } = json(where, 0, "archive", "responses", "--request", String(requests[0].id))
    assert.strictEqual(responses[0].status, "ok")
    assert.deepStrictEqual(
      json(where, 0, "archive", "responses", "--identity", requests[0].identity).responses[0],
      responses[0]
    )
    assert.deepStrictEqual(json(where, 0, "archive", "show", String(responses[0].id)), { response: responses[0] })
    assert.deepStrictEqual(json(where, 0, "archive", "show", String(requests[0].id), "--kind", "request"), {
      request: requests[0]
    })
    assert.deepStrictEqual(json(where, 0, "archive", "show", String(sessions[0].id), "--kind", "session"), {
      session: sessions[0]
    })
    assert.deepStrictEqual(json(where, 0, "archive", "sessions", "--before", "1"), { sessions: [] })
    const stats = json(where, 0, "archive", "stats")
    assert.strictEqual(stats.payloadBytes, 415968)
    assert.match(ok(where, "archive", "stats"), /payloads +1\n {2}their bytes +406\.2 KiB/)
  })

  it("an id that is not there ends with 1", () => {
    const { error } = json(where, 1, "archive", "show", "4711")
    assert.deepStrictEqual(error, {
      _tag: "ProvenanceStoreError",
      reason: "RecordNotFound",
      message: "the archive has no response 4711"
    })
  })

  it("5: verify names a torn file and ends with 1", () => {
    const other = { cwd: scratch("torn") }
    ok(other, "bars", ...spx, "--from", "2008-07-01", "--to", "2009-01-01")
    assert.deepStrictEqual(json(other, 0, "archive", "verify"), { checked: 1, bad: [] })
    assert.match(ok(other, "archive", "verify"), /1 payload hashed again, all as they came/)
    const directory = join(other.cwd, ".tapestry/responses")
    const [file] = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".zst"))
    assert.isDefined(file)
    truncateSync(join(directory, file), 1000)
    const { checked, bad } = json(other, 1, "archive", "verify")
    assert.strictEqual(checked, 1)
    assert.strictEqual(bad[0].problem, "torn")
    assert.deepStrictEqual(bad[0].responses, [1])
    assert.match(tapestry(other, "archive", "verify").stdout, /^torn: [0-9a-f]{64} .*the bytes of response 1\n/)
    const cat = tapestry(other, "archive", "cat", "1")
    assert.strictEqual(cat.code, 1)
    assert.strictEqual(cat.stdout, "")
  })
})

describe("a payload that is larger than may be held", () => {
  it("is written by cat as it is read, and cat fails at its end where it is damaged", () => {
    const other = { cwd: scratch("large") }
    ok(other, "bars", ...spx, "--from", "2008-07-01", "--to", "2009-01-01")
    const { response } = json(other, 0, "explain", ...spx, "--at", "2008-09-29")
    const held = ok(other, "archive", "cat", "1")
    assert.strictEqual(held.length, response.sizeBytes)
    writeFileSync(join(other.cwd, "tapestry.yaml"), "limits: { payloadLimit: 100 KiB }\n")
    assert.strictEqual(ok(other, "archive", "cat", "1"), held)
    assert.strictEqual(ok(other, "archive", "cat", response.sha256), held)
    assert.include(shell(other, "tapestry archive cat 1 | head -c 20").stdout, held.slice(0, 20))
    const directory = join(other.cwd, ".tapestry/responses")
    const [file = ""] = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".zst")
    )
    truncateSync(join(directory, file), statSync(join(directory, file)).size - 100)
    const cat = tapestry(other, "archive", "cat", "1")
    assert.strictEqual(cat.code, 1)
    assert.match(cat.stderr, /is damaged/)
  })
})

describe("vendors and doctor", () => {
  it("list, describe and ping", () => {
    const { vendors } = json(where, 0, "vendors", "list")
    assert.deepStrictEqual(
      vendors.map((vendor: { name: string }) => vendor.name),
      ["sample"]
    )
    assert.deepStrictEqual(json(where, 0, "vendors", "describe", "sample").vendor.symbols, ["SPX"])
    assert.isTrue(json(where, 0, "vendors", "ping", "sample").ok)
    assert.match(ok(where, "vendors", "ping", "sample"), /^sample: ok after /)
  })

  it("doctor looks at everything", () => {
    const { ok: well, checks } = json(where, 0, "doctor")
    assert.isTrue(well)
    assert.deepStrictEqual(
      checks.map((check: { name: string }) => check.name),
      ["versions", "configuration", "data directory", "owner", "quota", "jobs", "disk", "clock", "vendor sample"]
    )
    assert.match(ok(where, "doctor"), /ok {4}data directory {2}\.tapestry: 1 series, 128 rows/)
  })
})
