/** One owner per data directory: in one process, between processes, and when owners are killed. */
import { type ChildProcess, spawn } from "node:child_process"
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Result, Scope } from "effect"
import * as TapestryConfig from "../../../src/layers/config/TapestryConfig.ts"
import * as OwnerLock from "../../../src/layers/owner/OwnerLock.ts"
import { ownerSocket } from "../../../src/layers/owner/ownerSocket.ts"
import * as Tapestry from "../../../src/layers/Tapestry.ts"
import { Owner, OwnerError } from "../../../src/services/Owner.ts"
import { canBecomeNobody, nobody, withoutNobody } from "../../support/otherUser.ts"

const child = fileURLToPath(new URL("./holdChild.ts", import.meta.url))

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-owner-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const lockOf = (dataDir: string) => Layer.fresh(OwnerLock.layer({ dataDir, product: "test" }))
const recordOf = (dataDir: string) => JSON.parse(readFileSync(join(dataDir, "owner.json"), "utf8"))

const spawned = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [child, ...args], { stdio: ["ignore", "pipe", "inherit"] })),
    (process) => Effect.promise(() => killed(process))
  )

const killed = (process: ChildProcess) =>
  new Promise<void>((resolve) => {
    if (process.exitCode !== null || process.signalCode !== null) return resolve()
    process.once("exit", () => resolve())
    process.kill("SIGKILL")
  })

/** What a process that wants the directory says first: that it holds it, or why not. */
const heard = (process: ChildProcess) =>
  Effect.promise(
    () => new Promise<string>((resolve) => process.stdout?.once("data", (text) => resolve(`${text}`.trim())))
  )

const said = (dataDir: string) => Effect.flatMap(spawned(dataDir), heard)

/** A process that owns the directory, once it does. */
const owning = (dataDir: string) =>
  Effect.tap(spawned(dataDir), (process) => Effect.map(heard(process), (text) => assert.strictEqual(text, "held")))

/** Owns the directory for as long as the scope lives; the failure as a value. */
const own = (dataDir: string) => Effect.result(Layer.build(lockOf(dataDir)))

const whose = (outcome: Result.Result<unknown, OwnerError>) => {
  assert.isTrue(Result.isFailure(outcome))
  if (!Result.isFailure(outcome) || outcome.failure.reason._tag !== "OwnedElsewhere") return assert.fail("not refused")
  return outcome.failure.reason.owner?.pid
}

const live = (
  name: string,
  test: Effect.Effect<void, unknown, Scope.Scope | Layer.Success<typeof NodeServices.layer>>
) => it.live(name, () => Effect.provide(Effect.scoped(test), NodeServices.layer))

describe("OwnerLock", () => {
  live(
    "a second owner in the same process is refused, and comes to it when the first has let go",
    Effect.gen(function* () {
      const dataDir = yield* directory
      assert.isNull(yield* OwnerLock.find(dataDir))
      assert.deepStrictEqual(readdirSync(dataDir), [], "asking makes no file")
      const first = yield* Scope.make()
      yield* Scope.provide(Layer.build(lockOf(dataDir)), first)
      assert.strictEqual(whose(yield* own(dataDir)), process.pid)
      assert.strictEqual((yield* OwnerLock.find(dataDir))?.details?.pid, process.pid)
      assert.deepStrictEqual(readdirSync(dataDir).toSorted(), ["owner", "owner.json"])
      // Locks of the kernel go when any descriptor of the file is closed; those who were refused here have closed theirs.
      assert.strictEqual(yield* said(dataDir), "OwnedElsewhere")
      yield* Scope.close(first, Exit.void)
      assert.isFalse(existsSync(join(dataDir, "owner.json")))
      assert.isNull(yield* OwnerLock.find(dataDir))
      assert.isTrue(Result.isSuccess(yield* own(dataDir)))
    })
  )

  live(
    "announces its socket, and takes it back",
    Effect.gen(function* () {
      const dataDir = yield* directory
      const owner = yield* Effect.provide(Owner, lockOf(dataDir))
      assert.strictEqual(owner.dataDir, dataDir)
      yield* Effect.gen(function* () {
        const { announce, startedAt } = yield* Owner
        assert.deepStrictEqual(recordOf(dataDir), { pid: process.pid, startedAt, product: "test", socket: null })
        yield* announce("/tmp/x.sock")
        assert.strictEqual((yield* OwnerLock.find(dataDir))?.details?.socket, "/tmp/x.sock")
        yield* announce(null)
        assert.isNull((yield* OwnerLock.find(dataDir))?.details?.socket)
      }).pipe(Effect.provide(lockOf(dataDir)))
    })
  )

  live(
    "of a killed process is taken over at once, whatever it left",
    Effect.gen(function* () {
      const dataDir = yield* directory
      const figures: Array<number> = []
      for (let i = 0; i < 3; i++) {
        const other = yield* owning(dataDir)
        assert.strictEqual(whose(yield* own(dataDir)), other.pid)
        yield* Effect.promise(() => killed(other))
        assert.strictEqual(recordOf(dataDir).pid, other.pid, "a killed owner leaves its record")
        assert.isNull(yield* OwnerLock.find(dataDir))
        const began = performance.now()
        const scope = yield* Scope.make()
        yield* Scope.provide(Layer.build(lockOf(dataDir)), scope)
        figures.push(performance.now() - began)
        assert.strictEqual(recordOf(dataDir).pid, process.pid)
        assert.deepStrictEqual(readdirSync(dataDir).toSorted(), ["owner", "owner.json"], "no journal is left")
        yield* Scope.close(scope, Exit.void)
      }
      console.log(`a killed owner's lock was taken over in ${Math.max(...figures).toFixed(1)} ms`)
      assert.isBelow(Math.max(...figures), 2_000)
    })
  )

  live(
    "with patience waits for the owner to end",
    Effect.gen(function* () {
      const dataDir = yield* directory
      const other = yield* owning(dataDir)
      yield* Effect.forkChild(
        Effect.andThen(
          Effect.sleep("300 millis"),
          Effect.promise(() => killed(other))
        )
      )
      const began = performance.now()
      yield* Layer.build(OwnerLock.layer({ dataDir, product: "test", patience: "5 seconds" }))
      assert.isAtLeast(performance.now() - began, 250)
      assert.isBelow(performance.now() - began, 2_000)
    })
  )

  live(
    "cannot be made over what is no lock",
    Effect.gen(function* () {
      const dataDir = yield* directory
      writeFileSync(join(dataDir, "owner"), "something else, long enough to be looked at as a database".repeat(20))
      const outcome = yield* own(dataDir)
      assert.isTrue(Result.isFailure(outcome))
      if (!Result.isFailure(outcome)) return
      assert.strictEqual(outcome.failure.reason._tag, "LockUnavailable")
      assert.match(outcome.failure.message, /owner cannot be locked: it is not a lock that Tapestry made; move it away/)
    })
  )

  withoutNobody(1, "a data directory that this user may not write")
  it.skipIf(!canBecomeNobody)("says that the directory cannot be written", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "tapestry-owner-test-"))
    chmodSync(dataDir, 0o755)
    const printed = await new Promise((resolve) => {
      const other = spawn(process.execPath, [child, dataDir], { stdio: ["ignore", "pipe", "ignore"], ...nobody })
      other.stdout.once("data", (text) => resolve(String(text)))
      other.once("exit", (code) => resolve(`ended with ${code}`))
    })
    rmSync(dataDir, { recursive: true })
    assert.strictEqual(printed, "LockUnavailable\n")
  })

  live(
    "eight processes that are killed at random never hold it together",
    Effect.gen(function* () {
      const dataDir = yield* directory
      const log = join(yield* directory, "log")
      writeFileSync(log, "")
      const competitors = yield* Effect.forEach(Array.from({ length: 8 }), () => spawned(dataDir, "compete", log))
      // Written before the signal is sent, so that no successor begins before this line.
      const kill = (victim: ChildProcess) =>
        Effect.promise(() => {
          appendFileSync(log, `kill ${victim.pid}\n`)
          return killed(victim)
        })
      const until = performance.now() + 5_000
      let kills = 0
      while (performance.now() < until) {
        yield* Effect.promise(() => pause(150 + Math.random() * 200))
        const index = Math.floor(Math.random() * competitors.length)
        const victim = competitors[index]
        if (victim === undefined) continue
        yield* kill(victim)
        kills++
        competitors[index] = yield* spawned(dataDir, "compete", log)
      }
      const lines = readFileSync(log, "utf8").trim().split("\n")
      const dying = new Set<string>()
      const holders = new Set<string>()
      let holder: string | null = null
      let turns = 0
      for (const line of lines) {
        const [what, pid = ""] = line.split(" ")
        if (what === "kill") dying.add(pid)
        else if (what === "begin") {
          // A holder that is being killed may say no end; any other has said it before the next begins.
          if (holder !== null) assert.isTrue(dying.has(holder), `${holder} and ${pid} at once`)
          holder = pid
          holders.add(pid)
          turns++
        } else {
          assert.strictEqual(pid, holder, "an end of a process that did not hold")
          holder = null
        }
      }
      console.log(`${turns} turns by ${holders.size} processes, ${kills} processes were killed`)
      assert.isAbove(turns, 20)
      assert.isAbove(holders.size, 3)
    })
  )
})

describe("Tapestry.layer", () => {
  const config = (dataDir: string) => ({ ...TapestryConfig.defaults, dataDir })

  live(
    "owns its directory before it opens anything, and to the last",
    Effect.gen(function* () {
      const dataDir = join(yield* directory, "data")
      mkdirSync(dataDir)
      const other = yield* owning(dataDir)
      const refused = yield* Effect.result(Layer.build(Tapestry.layer({ dataDir, config: config(dataDir) })))
      assert.isTrue(Result.isFailure(refused))
      if (Result.isFailure(refused)) assert.instanceOf(refused.failure, OwnerError)
      assert.deepStrictEqual(readdirSync(dataDir).toSorted(), ["owner", "owner.json"])
      yield* Effect.promise(() => killed(other))

      const scope = yield* Scope.make()
      yield* Scope.provide(Layer.build(Layer.fresh(Tapestry.layer({ dataDir, config: config(dataDir) }))), scope)
      assert.strictEqual(whose(yield* own(dataDir)), process.pid)
      const again = yield* Effect.result(Layer.build(Layer.fresh(Tapestry.layer({ dataDir, config: config(dataDir) }))))
      assert.isTrue(Result.isFailure(again), "two of one process")
      const beside = yield* Effect.result(Layer.build(Tapestry.layerReadonly({ dataDir, config: config(dataDir) })))
      assert.isTrue(Result.isSuccess(beside), "who only reads needs no lock")
      yield* Scope.close(scope, Exit.void)
      assert.isNull(yield* OwnerLock.find(dataDir))
    })
  )
})

describe("ownerSocket", () => {
  live(
    "is in the data directory, or where its path is too long, in a directory that only this user may enter",
    Effect.gen(function* () {
      const dataDir = yield* directory
      assert.strictEqual(yield* ownerSocket(dataDir), join(dataDir, "owner.sock"))
      const long = join(dataDir, "x".repeat(100))
      const elsewhere = yield* ownerSocket(long)
      assert.isBelow(Buffer.byteLength(elsewhere), 104)
      assert.isTrue(existsSync(join(elsewhere, "..")))
    })
  )

  live(
    "of a killed owner is removed by the next, and nothing else that its record may name",
    Effect.gen(function* () {
      const dataDir = yield* directory
      const elsewhere = yield* directory
      const left = mkdtempSync(join(tmpdir(), "tapestry-owner-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(left, { recursive: true, force: true })))
      writeFileSync(join(left, "owner.sock"), "")
      const take = (socket: string) => {
        writeFileSync(join(dataDir, "owner.json"), JSON.stringify({ pid: 1, startedAt: 0, product: "test", socket }))
        return Effect.scoped(Layer.build(lockOf(dataDir)))
      }
      yield* take(join(left, "owner.sock"))
      assert.isFalse(existsSync(left))
      yield* take(join(left, "owner.sock"))
      writeFileSync(join(elsewhere, "mine"), "")
      for (const kept of ["owner.sock", "other"]) {
        writeFileSync(join(elsewhere, kept), "")
        yield* take(join(elsewhere, kept))
        assert.isTrue(existsSync(join(elsewhere, kept)))
      }
    })
  )
})
