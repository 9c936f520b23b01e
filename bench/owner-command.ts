/**
 * Claim: a command that works through the owner's socket takes at most 30 ms more than the same command without an owner.
 * Baseline: the same `bars` of the same covered range, of the built CLI, with no owner about. The two take turns; medians of 21.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ensureBundle } from "../test/support/bundle.ts"

const runs = 21
const most = 30
const bundle = ensureBundle()
const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-owner-"))
const data = ["--data-dir", directory]
const year = ["--vendor", "sample", "--timeframe", "1d", "--from", "2008-01-01", "--to", "2009-01-01"]

const bars = (): number => {
  const began = performance.now()
  const ran = spawnSync(process.execPath, [bundle, "bars", "SPX", ...year, ...data, "--json"], { stdio: "ignore" })
  if (ran.status !== 0) throw new Error(`bars ended with ${ran.status}`)
  return performance.now() - began
}

const owner = async () => {
  const child = spawn(process.execPath, [bundle, "serve", "--http", "off", "--tcp", "127.0.0.1:0", ...data], {
    stdio: ["ignore", "pipe", "ignore"]
  })
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve)
    child.once("exit", (code) => reject(new Error(`serve ended with ${code}`)))
  })
  return async () => {
    child.removeAllListeners("exit")
    const ended = new Promise((resolve) => child.once("exit", resolve))
    child.kill("SIGTERM")
    await ended
  }
}

const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const alone: Array<number> = []
const through: Array<number> = []
bars()
bars()
for (let round = 0; round < 3; round++) {
  for (let run = 0; run < runs / 3; run++) alone.push(bars())
  const stop = await owner()
  bars()
  for (let run = 0; run < runs / 3; run++) through.push(bars())
  await stop()
}
rmSync(directory, { recursive: true, force: true })

const more = median(through) - median(alone)
console.log(`bars of a covered year, built CLI (median of ${runs})`)
console.log(`  without owner      ${median(alone).toFixed(1)} ms`)
console.log(
  `  through its socket ${median(through).toFixed(1)} ms   ${(median(through) / median(alone)).toFixed(2)} x   ${more.toFixed(1)} ms more   target ${most} ms   ${more <= most ? "holds" : "MISSES"}`
)
process.exitCode = more <= most ? 0 : 1
