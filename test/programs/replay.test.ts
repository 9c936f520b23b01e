/** `archive replay`: what was answered, in its order, with the exact bytes, and what it says of those that are damaged. */
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { json, ok, scratch, spx, tapestry } from "./tapestry.ts"

const where = { cwd: scratch("replay") }
const range = ["--from", "2008-07-01", "--to", "2008-08-01"]
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex")

interface Step {
  readonly call: number
  readonly response: {
    readonly id: number
    readonly sha256: string
    readonly fetchedAt: string
    readonly request: number
  }
  readonly file?: string | null
  readonly problem?: string | null
}

const steps = (code: number, ...args: ReadonlyArray<string>): ReadonlyArray<Step> =>
  json(where, code, "archive", "replay", ...args).replay

describe("archive replay", () => {
  beforeAll(() => {
    ok(where, "bars", ...spx, ...range)
    for (const policy of ["force", "force"]) ok(where, "bars", ...spx, ...range, "--policy", policy)
  })

  it("lists every answer to what a request asked, oldest first, by its id or by the sha256 of the question", () => {
    const found = steps(0, "1")
    assert.deepStrictEqual(
      found.map(({ response }) => response.id),
      [1, 2, 3]
    )
    assert.deepStrictEqual(
      found.map(({ call, response }) => call === response.request),
      [true, true, true]
    )
    const { request } = json(where, 0, "archive", "show", "1", "--kind", "request")
    assert.deepStrictEqual(steps(0, request.identity), found)
    assert.deepStrictEqual(steps(0, "2"), found, "another request that asks the same")
    assert.strictEqual(steps(0, "2", "--kind", "session").length, 1)
    const table = ok(where, "archive", "replay", "1").trimEnd().split("\n")
    assert.strictEqual(table.length, 4)
    assert.match(table[0] ?? "", /^call +response +request +fetched/)
  })

  it("as of a time gives what had been fetched by then", () => {
    const [first, second] = steps(0, "1")
    assert.strictEqual(steps(0, "1", "--as-of", "2020-01-01").length, 0)
    assert.include(ok(where, "archive", "replay", "1", "--as-of", "2020-01-01"), "no responses")
    const asOf = second?.response.fetchedAt ?? ""
    assert.deepStrictEqual(
      steps(0, "1", "--as-of", asOf).map(({ response }) => response.id),
      [first?.response.id, second?.response.id]
    )
  })

  it("writes the exact bytes to files in order, or one after the other to standard output", () => {
    const found = steps(0, "1", "--out", "replayed")
    const files = readdirSync(join(where.cwd, "replayed")).toSorted()
    assert.deepStrictEqual(
      files,
      found.map(({ file }) => file)
    )
    for (const [index, { file, response }] of found.entries()) {
      assert.strictEqual(file, `00000${index + 1}-${response.id}-${response.sha256.slice(0, 12)}.bin`)
      assert.strictEqual(sha256(readFileSync(join(where.cwd, "replayed", file ?? ""))), response.sha256)
    }
    const together = Buffer.concat(files.map((file) => readFileSync(join(where.cwd, "replayed", file))))
    assert.strictEqual(sha256(ok(where, "archive", "replay", "1", "--cat")), sha256(together))
  })

  it("refuses what cannot be meant, and names what is not there", () => {
    for (const args of [["x"], ["1", "--cat", "--out", "y"], ["ab".repeat(32), "--kind", "session"]]) {
      const run = tapestry(where, "archive", "replay", ...args)
      assert.strictEqual(run.code, 2, run.stderr)
      assert.strictEqual(run.stdout, "")
    }
    assert.strictEqual(tapestry(where, "archive", "replay", "1", "--cat", "--json").code, 2)
    assert.match(tapestry(where, "archive", "replay", "99").stderr, /^error: the archive has no request 99\n$/)
    assert.match(tapestry(where, "archive", "replay", "99", "--kind", "session").stderr, /has no session 99/)
  })

  it("names bytes that are damaged or gone, writes no file for them, and says by its code how much is left", () => {
    const responses = join(where.cwd, ".tapestry/responses")
    const [payload] = readdirSync(responses, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".zst")
    )
    if (payload === undefined) throw new Error("no payload file")
    truncateSync(join(responses, payload), 100)
    const torn = steps(1, "1", "--out", "damaged")
    assert.isTrue(
      torn.every(({ file, problem }) => file === null && /damaged; fetch the range again$/.test(problem ?? ""))
    )
    assert.deepStrictEqual(readdirSync(join(where.cwd, "damaged")), [])
    const run = tapestry(where, "archive", "replay", "1", "--cat")
    assert.strictEqual(run.code, 1)
    assert.strictEqual(run.stdout, "")
    assert.match(run.stderr, /^error: payload [0-9a-f]{64} in [^\n]*\.zst is damaged; fetch the range again\n$/)
    rmSync(join(responses, payload))
    const gone = tapestry(where, "archive", "replay", "1", "--out", "gone")
    assert.strictEqual(gone.code, 1)
    assert.match(gone.stderr, /response 1: payload [0-9a-f]{64} is gone/)
    assert.isTrue(existsSync(join(where.cwd, "gone")))
    assert.strictEqual(steps(0, "1").length, 3, "a list needs no bytes")
  })
})
