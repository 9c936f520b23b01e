/** Jobs in real processes, which are killed. */
import { type ChildProcess, spawn } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "vitest"
import { archived, asked, askedFor, ended, type Place, place } from "./ownerProcesses.ts"

const child = fileURLToPath(new URL("./jobsChild.ts", import.meta.url))
const running = new Set<ChildProcess>()
afterAll(() => Promise.all([...running].map(ended)))

interface Told {
  readonly job: { readonly id: string; readonly state: string; readonly attempts: number }
  readonly runs: ReadonlyArray<{ readonly status: string; readonly outcome: { readonly requests: number } }>
  readonly rows: number
  readonly equal: boolean
}

/** A process, and what it printed when it has ended; null when it was killed before. */
const started = ({ dataDir, log }: Place, ...args: ReadonlyArray<string>) => {
  const process_ = spawn(process.execPath, [child, dataDir, log, ...args], { stdio: ["ignore", "pipe", "inherit"] })
  running.add(process_)
  let text = ""
  process_.stdout.on("data", (chunk) => {
    text += chunk
  })
  const told = new Promise<Told | null>((resolve) =>
    process_.once("close", () => {
      running.delete(process_)
      resolve(text === "" ? null : JSON.parse(text))
    })
  )
  return { process: process_, told }
}

const whole = (told: Told | null): Told => told ?? assert.fail("it ended without a word")

describe("jobs of processes that are killed", () => {
  it("a backfill goes on where it was, and the vendor's own log shows no request twice", async () => {
    const where = place()
    writeFileSync(`${where.log}.stall`, "3")
    const first = started(where, "backfill", "8", "20")
    await askedFor(where, 3)
    // The third answer is on its way; the fourth request never leaves.
    while ((await archived(where)) < 3) await pause(20)
    await ended(first.process)
    assert.isNull(await first.told)
    rmSync(`${where.log}.stall`)
    // Another job of the directory, done in a process that leaves this one alone.
    const other = whole(await started({ ...where, log: `${where.log}.other` }, "traced", "2", "0").told)
    assert.strictEqual(other.job.state, "completed")
    assert.deepStrictEqual(asked(where), ["0", "1", "2"])
    const second = whole(await started(where, "backfill", "8", "20").told)
    assert.strictEqual(second.job.state, "completed")
    assert.strictEqual(second.job.attempts, 1)
    assert.strictEqual(second.rows, 48)
    assert.isTrue(second.equal)
    assert.deepStrictEqual(asked(where), ["0", "1", "2", "3", "4", "5", "6", "7"])
    // What was done before the end counts in the report of the attempt.
    assert.strictEqual(second.runs.length, 1)
    assert.isAtLeast(second.runs[0]?.outcome.requests ?? 0, 7)
  }, 60_000)

  it("killed again and again at any time, it asks for nothing that it had", async () => {
    const where = place()
    const pieces = 16
    let kills = 0
    for (let count = 2; count < pieces; count += 4) {
      const { process } = started(where, "backfill", String(pieces), "30")
      await askedFor(where, count)
      await pause(7 * (count % 5))
      await ended(process)
      kills++
    }
    const last = whole(await started(where, "backfill", String(pieces), "30").told)
    assert.strictEqual(last.job.state, "completed")
    assert.strictEqual(last.job.attempts, 1)
    assert.isTrue(last.equal)
    // Only what was under way when a process was killed was asked for again.
    assert.isAtMost(asked(where).length, pieces + kills)
    assert.strictEqual(new Set(asked(where)).size, pieces)
  }, 120_000)

  it("no activity starts in two processes", async () => {
    const where = place()
    const steps = 12
    const all = await Promise.all([1, 2, 3].map(() => started(where, "traced", String(steps), "40").told))
    assert.deepStrictEqual(
      all.map((told) => told?.job.state),
      ["completed", "completed", "completed"]
    )
    assert.strictEqual(new Set(all.map((told) => told?.job.id)).size, 1)
    const lines = asked(where).map((line) => line.split(" "))
    const begun = lines.filter(([, what]) => what === "begins")
    assert.deepStrictEqual(
      begun.map(([, , step]) => step),
      Array.from({ length: steps }, (_, n) => String(n))
    )
    assert.strictEqual(new Set(lines.map(([pid]) => pid)).size, 1)
  }, 60_000)

  it("and none that has ended starts again, when whoever runs them is killed", async () => {
    const where = place()
    const steps = 12
    const workers = [1, 2, 3].map(() => started(where, "traced", String(steps), "60"))
    await askedFor(where, 7)
    const first = asked(where)[0]?.split(" ")[0]
    const killed = workers.find(({ process }) => String(process.pid) === first)
    assert.isDefined(killed)
    if (killed !== undefined) await ended(killed.process)
    const told = (await Promise.all(workers.map(({ told }) => told))).filter((one) => one !== null)
    assert.deepStrictEqual(
      told.map(({ job }) => [job.state, job.attempts]),
      [
        ["completed", 1],
        ["completed", 1]
      ]
    )
    const over = new Set<string>()
    const pids: Array<string> = []
    for (const line of asked(where)) {
      const [pid = "", what, step = ""] = line.split(" ")
      if (what === "ends") over.add(step)
      else assert.isFalse(over.has(step), `step ${step} began again in ${pid}`)
      if (pids.at(-1) !== pid) pids.push(pid)
    }
    assert.strictEqual(over.size, steps)
    // One after the other, and never the first again.
    assert.strictEqual(pids.length, 2)
  }, 60_000)
})
