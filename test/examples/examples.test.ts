/** Every example runs, against a real server on free ports where it needs one, and says what its text claims. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { kill, place, start, temporary } from "../rpc/client/support.ts"
import { at, node, run } from "./support.ts"

const hasPython = spawnSync("python3", ["--version"]).status === 0
if (!hasPython) console.log("SKIPPED 1: no python3 on the PATH; examples/python-client.py was not tried")

describe("examples/embed", () => {
  it.live("reads a range of its own vendor by its own clock, and asks the vendor once", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const { code, stderr, stdout } = yield* node([at("examples/embed/main.ts"), join(directory, "data")])
      assert.strictEqual(code, 0, stderr)
      assert.include(stdout, "37 hours of DOVER, the highest water 6.38 m")
      assert.include(stdout, "2024-03-14T00:00:00.000Z to 2024-03-15T12:00:00.000Z  Covered")
      assert.include(stdout, "2024-03-15T12:00:00.000Z to 2024-03-15T13:00:00.000Z  Provisional")
      assert.include(stdout, "asked the vendor 2 time(s), then 0")
      assert.include(stdout, "refused: tides: only bars of 1h")
    }).pipe(Effect.scoped)
  )
})

describe("the clients of a running server", () => {
  it.live(
    "examples/node-client says hello, plans, streams and catches errors by tag; without a server it says so",
    () =>
      Effect.gen(function* () {
        const where = yield* place
        const server = yield* start(where)
        const env = { TAPESTRY_TCP: `127.0.0.1:${where.tcp}` }
        const { code, stderr, stdout } = yield* node([at("examples/node-client/main.ts")], env)
        assert.strictEqual(code, 0, stderr)
        assert.match(stdout, /^tapestry 0\.0\.0-test, protocol 1, \d+ procedures\n1 piece\(s\), 1 request\(s\)/)
        assert.include(stdout, "252 bars, the highest high 3247.93")
        assert.include(stdout, "no row at 2019-01-01T00:00:00.000Z")
        assert.include(stdout, "no vendor named nobody; known: model, sample, slow")
        yield* kill(server.process)
        const without = yield* node([at("examples/node-client/main.ts")], env)
        assert.strictEqual(without.code, 0)
        assert.include(without.stderr, "no server, or it went away")
      }).pipe(Effect.scoped)
  )

  it.live("examples/raw-tcp.mjs writes JSON lines by hand and takes a whole stream", () =>
    Effect.gen(function* () {
      const where = yield* place
      yield* start(where)
      const { code, stderr, stdout } = yield* run(process.execPath, [
        at("examples/raw-tcp.mjs"),
        `127.0.0.1:${where.tcp}`
      ])
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^Success 252 bars, the last closes at 3230\.78\d*\n$/)
    }).pipe(Effect.scoped)
  )

  it.live.skipIf(!hasPython)("examples/python-client.py does the same in Python, and catches a typed error", () =>
    Effect.gen(function* () {
      const where = yield* place
      yield* start(where)
      const { code, stderr, stdout } = yield* run("python3", [
        at("examples/python-client.py"),
        `127.0.0.1:${where.tcp}`
      ])
      assert.strictEqual(code, 0, stderr)
      assert.deepStrictEqual(stdout.trim().split("\n"), [
        "tapestry 0.0.0-test, protocol 1",
        "252 bars, the last closes at 3230.78",
        "caught StitchingCacheError / NoSuchRow"
      ])
    }).pipe(Effect.scoped)
  )
})
