/** `tapestry store ping`: of a file, of a database, of one that is dead, mute, new or just starting. */
import { createServer, type Server } from "node:net"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { bareDatabase } from "../support/postgres.ts"
import { ended, json, ok, scratch, spx, start, tapestry, type Where } from "./tapestry.ts"

const servers: Array<Server> = []
afterAll(() => {
  for (const server of servers) server.close()
})

/** A port that takes connections and says nothing. */
const mute = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer(() => {})
    servers.push(server)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

const at = (port: number): Where => ({
  cwd: scratch("ping"),
  env: { DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/none` }
})

describe("tapestry store ping", () => {
  it("of market.sqlite, before it is there and after", () => {
    const where = { cwd: scratch("ping-sqlite") }
    assert.match(ok(where, "store", "ping"), /^no tables yet: the first command that fetches makes them\n$/)
    ok(where, "bars", ...spx, "--from", "2019-01-01", "--to", "2019-02-01")
    assert.match(
      ok(where, "store", "ping"),
      /market\.sqlite answers in [\d.]+ ms; schema \d+, as this release needs\n$/
    )
    const document = json(where, 0, "store", "ping")
    assert.deepInclude(document, { ok: true, store: "sqlite", state: "current", attempts: 1, error: null })
    assert.strictEqual(document.version, document.expected)
  })

  it("a store of a newer release answers, and cannot be used", () => {
    const where = { cwd: scratch("ping-newer") }
    ok(where, "bars", ...spx, "--from", "2019-01-01", "--to", "2019-02-01")
    const db = new Database(join(where.cwd, ".tapestry", "market.sqlite"))
    db.exec("insert into migration_checksums (id, sha256) values (999, 'x')")
    db.close()
    const { code, stdout } = tapestry(where, "store", "ping")
    assert.strictEqual(code, 1)
    assert.match(stdout, /schema 999, newer than this release: use the one that wrote it/)
    assert.include(tapestry(where, "store", "ping", "--format", "prometheus").stdout, "\nstore_up 0\n")
  })

  it.effect("of PostgreSQL, as text, as a document and as metrics", () =>
    Effect.gen(function* () {
      const where = { cwd: scratch("ping-postgres"), env: { DATABASE_URL: yield* bareDatabase } }
      assert.deepInclude(json(where, 0, "store", "ping"), { ok: true, store: "postgres", state: "absent", version: 0 })
      ok(where, "store", "migrate")
      assert.match(ok(where, "store", "ping"), /^127\.0\.0\.1:\d+\/\S+ answers in [\d.]+ ms; schema (\d+), as/)
      const lines = ok(where, "store", "ping", "--format", "prometheus").split("\n")
      assert.include(lines, "store_up 1")
      assert.isTrue(lines.some((line) => /^tapestry_store_schema_version\{of="store"\} \d+$/.test(line)))
      // What Prometheus reads: each metric has its type before its values.
      for (const line of lines.filter((text) => text !== "" && !text.startsWith("#"))) {
        const [name = ""] = line.split(/[ {]/)
        assert.isBelow(lines.indexOf(`# TYPE ${name} gauge`), lines.indexOf(line))
        assert.isAtLeast(lines.indexOf(`# TYPE ${name} gauge`), 0)
      }
    })
  )

  it("a dead server is tried as often as is asked, and named with what to do", () => {
    const { code, stdout } = tapestry(at(1), "store", "ping", "--retry", "2")
    assert.strictEqual(code, 1)
    assert.match(stdout, /ECONNREFUSED 127\.0\.0\.1:1; check that PostgreSQL runs there.*\(3 tries\)\n$/)
    assert.deepInclude(json(at(1), 1, "store", "ping"), { ok: false, attempts: 1, store: null })
  })

  it("a server that takes the connection and says nothing is waited for as long as is asked", async () => {
    const run = await ended(start(at(await mute()), "store", "ping", "--timeout", "0.5"))
    assert.deepStrictEqual([run.code, run.stdout], [1, "no answer within 0.5 s\n"])
  })

  it("refuses what is no count and no time", () => {
    for (const [flag, value, message] of [
      ["--retry", "-1", /Expected: a whole number from 0 to 1000/],
      ["--timeout", "0", /Expected: more than 0 and at most 3600 seconds/],
      ["--format", "xml", /format/]
    ] as const) {
      const { code, stderr, stdout } = tapestry(at(1), "store", "ping", flag, value)
      assert.deepStrictEqual([code, stdout], [2, ""])
      assert.match(stderr, message)
    }
  })
})
