/** The built command line beside `serve`, and without it: the same commands, the same output. */
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as OwnerLock from "../../src/layers/owner/OwnerLock.ts"
import { Owner } from "../../src/services/Owner.ts"
import { ensureBundle } from "../support/bundle.ts"
import { canBecomeNobody, nobody, withoutNobody } from "../support/otherUser.ts"
import { serving, until } from "./serving.ts"
import { ended, json, minuteFile, ok, type Run, scratch, spx, start, tapestry, type Where } from "./tapestry.ts"

const dataDir = ({ cwd }: Where) => join(cwd, ".tapestry")
const july = ["--from", "2008-07-01", "--to", "2008-08-01"]
const autumn = ["--from", "2008-07-01", "--to", "2008-11-01"]
/** `serve`, which owns the directory. */
const owned = (where: Where) => serving(where, "--http", "off")

/** What is not a time, a duration or the id of a process. */
const lasting = ({ code, stderr, stdout }: Run): Run => {
  const plain = (text: string) =>
    text
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<instant>")
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?/g, "<instant>")
      .replace(/\b\d+(\.\d+)? (ms|s)\b/g, "<time>")
      .replace(/"elapsedMillis":\d+/g, '"elapsedMillis":<time>')
  return { code, stderr: plain(stderr), stdout: plain(stdout) }
}

/** In this order: each finds what those before it left. */
const story: ReadonlyArray<ReadonlyArray<string>> = [
  ["bars", ...spx, ...july, "--plan"],
  ["bars", ...spx, ...july],
  ["bars", ...spx, ...july, "--json"],
  ["bars", ...spx, ...autumn, "--format", "csv"],
  ["bars", ...spx, ...autumn, "--plan", "--json"],
  ["bars", ...spx, ...autumn, "--policy", "cacheOnly", "--json"],
  ["bars", ...spx, ...autumn, "--policy", "force", "--json"],
  ["bars", ...spx, ...autumn, "--limit", "3"],
  ["coverage", ...spx, "--json"],
  ["explain", ...spx, "--at", "2008-09-29"],
  ["archive", "responses", "--json"],
  ["archive", "verify"],
  ["series", "list"],
  ["bars", "NOPE", "--vendor", "sample", "--timeframe", "1d", ...july],
  ["bars", "SPX", "--vendor", "nobody", "--timeframe", "1d", ...july, "--json"],
  ["bars", "SPX", "--vendor", "sample", "--timeframe", "1m", ...july],
  ["bars", ...spx, "--from", "1900-01-01", "--to", "1900-02-01", "--on-missing", "fail"],
  ["series", "forget", ...spx],
  ["series", "forget", ...spx, "--json"],
  ["bars", ...spx, ...july, "--json"]
]

const otherVendor = `vendors:
  own:
    adapter: file
    root: .
    path: "{symbol}.csv"
    timeframe: 1d
`

withoutNobody(1, "a command of another user beside an owner")

describe("a command beside an owner", () => {
  it.skipIf(!canBecomeNobody)("of another user is told at once that it may not ask", async () => {
    const where = { cwd: scratch("owner-foreign") }
    mkdirSync(dataDir(where), { mode: 0o755 })
    chmodSync(where.cwd, 0o755)
    const owner = await owned(where)
    const began = performance.now()
    const foreign = spawnSync(process.execPath, [ensureBundle(), "bars", ...spx, ...july], {
      cwd: where.cwd,
      env: { PATH: process.env.PATH },
      encoding: "utf8",
      ...nobody
    })
    assert.strictEqual(foreign.status, 1, foreign.stderr)
    assert.match(foreign.stderr, /only its own user may ask it .*owner\.sock.*run the command as that user/)
    assert.isBelow(performance.now() - began, 6_000)
    owner.child.kill("SIGTERM")
    await owner.end
  })

  it("prints what it prints without one", async () => {
    const alone = { cwd: scratch("owner-alone") }
    const beside = { cwd: scratch("owner-beside") }
    mkdirSync(dataDir(beside))
    const owner = await owned(beside)
    for (const args of story) {
      assert.deepStrictEqual(lasting(tapestry(beside, ...args)), lasting(tapestry(alone, ...args)), args.join(" "))
    }
    owner.child.kill("SIGTERM")
    assert.strictEqual((await owner.end).code, 0)
    assert.strictEqual(json(beside, 0, "bars", ...spx, ...july).requests, 0, "without it, the next is the owner")
  })

  it("uses the vendors of the owner, and says so when it knows one that the owner does not", async () => {
    const where = { cwd: scratch("owner-vendors") }
    await owned(where)
    writeFileSync(join(where.cwd, "other.yaml"), otherVendor)
    const other = ["--config", "other.yaml", "--data-dir", dataDir(where)]
    assert.strictEqual(json(where, 0, "bars", ...spx, ...july, ...other).rowCount, 22)
    const { error } = json(where, 1, "bars", "X", "--vendor", "own", "--timeframe", "1d", ...july, ...other)
    assert.deepInclude(error, { _tag: "OwnerError", reason: "UnknownToOwner" })
    assert.match(error.message, /process \d+, which fetches for .*, has no vendor named own; it knows: sample\./)
  })

  it.skipIf(process.platform !== "linux")(
    "200 in a row leave nothing open in the owner",
    async () => {
      const where = { cwd: scratch("owner-200") }
      const { child } = await owned(where)
      const open = () => readdirSync(`/proc/${child.pid}/fd`).length
      ok(where, "bars", ...spx, ...july)
      await pause(1_000)
      const before = open()
      const began = performance.now()
      for (let i = 0; i < 200; i++) {
        assert.strictEqual(tapestry(where, "bars", ...spx, ...july, "--json").code, 0)
      }
      const each = (performance.now() - began) / 200
      // The owner may still be closing the last one's connection.
      await until(() => open() <= before)
      console.log(`200 commands, ${each.toFixed(0)} ms each; handles of the owner ${before} before, ${open()} after`)
      // The one that listens; it is known by the name under which it was bound, in the same directory.
      const sockets = readFileSync(`/proc/${child.pid}/net/unix`, "utf8").split("\n")
      assert.strictEqual(sockets.filter((line) => line.includes(`${dataDir(where)}/`)).length, 1)
    },
    300_000
  )

  it("prints its rows to the end when the owner is killed while it prints them", async () => {
    const where = { cwd: scratch("owner-printing") }
    const rows = 60_000
    writeFileSync(join(where.cwd, "big.csv"), minuteFile(rows))
    writeFileSync(join(where.cwd, "tapestry.yaml"), otherVendor.replace("own:", "big:").replace("1d", "1m"))
    const owner = await owned(where)
    const range = ["--from", "2015-01-01", "--to", "2015-02-11T16:00:00Z", "--format", "csv"]
    const child = start(where, "bars", "big", "--vendor", "big", "--timeframe", "1m", ...range)
    const end = ended(child)
    // The pipe is full then, and the command in the middle of its rows.
    await new Promise((resolve) => child.stdout?.once("data", resolve))
    child.stdout?.pause()
    owner.child.kill("SIGKILL")
    await owner.end
    await pause(200)
    assert.isNull(child.exitCode)
    child.stdout?.resume()
    const { code, stderr, stdout } = await end
    assert.strictEqual(code, 0, stderr)
    const lines = stdout.trimEnd().split("\n")
    assert.strictEqual(lines.length, rows + 1)
    assert.strictEqual(new Set(lines).size, rows + 1)
  })

  it("of another protocol is told which releases do not fit", async () => {
    const where = { cwd: scratch("owner-protocol") }
    mkdirSync(dataDir(where))
    const path = join(dataDir(where), "owner.sock")
    const hello = { protocol: 2, product: "9.9.9", capabilities: [], procedures: [], startedAt: 0, now: 0 }
    const server = createServer((socket) => {
      socket.on("data", (bytes) => {
        for (const line of String(bytes).split("\n").filter(Boolean)) {
          const message = JSON.parse(line)
          if (message._tag !== "Request") continue
          const exit = { _tag: "Success", value: hello }
          socket.write(`${JSON.stringify({ _tag: "Exit", requestId: message.id, exit })}\n`)
        }
      })
      socket.on("error", () => {})
    })
    await new Promise<void>((resolve) => server.listen(path, resolve))
    const run = await Effect.gen(function* () {
      yield* (yield* Owner).announce(path)
      return yield* Effect.promise(() => ended(start(where, "bars", ...spx, ...july, "--json")))
    }).pipe(
      Effect.provide(OwnerLock.layer({ dataDir: dataDir(where), product: "9.9.9" })),
      Effect.provide(NodeServices.layer),
      Effect.runPromise
    )
    server.close()
    assert.strictEqual(run.code, 1)
    assert.deepInclude(JSON.parse(run.stdout).error, { _tag: "OwnerError", reason: "OtherProtocol" })
    assert.match(
      run.stderr,
      new RegExp(
        `process ${process.pid}, which .*, is Tapestry 9\\.9\\.9 \\(protocol 2\\), and this is .* \\(protocol 1\\); stop it`
      )
    )
  })
})
