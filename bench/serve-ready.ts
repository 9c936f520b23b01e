/**
 * Claim: the built CLI's `serve` is ready 0.6 s after its start, with every transport listening, and idles at 95 MB.
 * Baseline: `node -e 0`, the same process without a program. Ready is when its first line is out and `/readyz` says 200; memory
 * is what is resident two seconds after that. Medians of five starts over a data directory that has rows in it.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { ensureBundle } from "../test/support/bundle.ts"

const runs = 5
const target = { seconds: 0.6, megabytes: 95 }
const bundle = ensureBundle()
const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-serve-"))
const data = ["--data-dir", directory]

const year = ["--vendor", "sample", "--timeframe", "1d", "--from", "2008-01-01", "--to", "2009-01-01"]
const filled = spawnSync(process.execPath, [bundle, "bars", "SPX", ...year, ...data, "--json"], { stdio: "ignore" })
if (filled.status !== 0) throw new Error(`bars ended with ${filled.status}`)

const residentOf = (pid: number): number =>
  (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024) / 1e6

interface Sample {
  readonly seconds: number
  readonly megabytes: number
}

const sample = async (): Promise<Sample> => {
  const began = performance.now()
  const child = spawn(
    process.execPath,
    [bundle, "serve", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--json", ...data],
    { stdio: ["ignore", "pipe", "ignore"] }
  )
  const first = await new Promise<string>((resolve, reject) => {
    let text = ""
    child.stdout.on("data", (bytes) => {
      text += bytes
      if (text.includes("\n")) resolve(text)
    })
    child.on("exit", (code) => reject(new Error(`serve ended with ${code}`)))
  })
  const { http }: { readonly http: string } = JSON.parse(first)
  const ready = await fetch(`${http.startsWith("http") ? http : `http://${http}`}/readyz`)
  if (ready.status !== 200) throw new Error(`/readyz says ${ready.status}`)
  const seconds = (performance.now() - began) / 1000
  await pause(2_000)
  const megabytes = residentOf(child.pid ?? 0)
  child.removeAllListeners("exit")
  const ended = new Promise((resolve) => child.on("exit", resolve))
  child.kill("SIGTERM")
  await ended
  return { seconds, megabytes }
}

const bare = async (): Promise<Sample> => {
  const began = performance.now()
  spawnSync(process.execPath, ["-e", "0"], { stdio: "ignore" })
  const seconds = (performance.now() - began) / 1000
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio: "ignore" })
  await pause(1_000)
  const megabytes = residentOf(child.pid ?? 0)
  child.kill("SIGKILL")
  return { seconds, megabytes }
}

const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const measure = async (take: () => Promise<Sample>): Promise<Sample> => {
  const samples: Array<Sample> = []
  for (let run = 0; run < runs; run++) samples.push(await take())
  return { seconds: median(samples.map((one) => one.seconds)), megabytes: median(samples.map((one) => one.megabytes)) }
}

await sample()
const baseline = await measure(bare)
const served = await measure(sample)
rmSync(directory, { recursive: true, force: true })

const verdict = (holds: boolean) => (holds ? "holds" : "MISSES")
const line = (what: string, ours: number, theirs: number, unit: string, most: number) =>
  console.log(
    `  ${what.padEnd(12)} ${ours.toFixed(unit === "s" ? 3 : 1)} ${unit}   ${(ours / theirs).toFixed(1)} x node -e 0 (${theirs.toFixed(unit === "s" ? 3 : 1)} ${unit})   target ${most} ${unit}   ${verdict(ours <= most)}`
  )
console.log(`built CLI serve, HTTP + WebSocket + TCP + Unix socket (median of ${runs})`)
line("ready", served.seconds, baseline.seconds, "s", target.seconds)
line("idle memory", served.megabytes, baseline.megabytes, "MB", target.megabytes)
process.exitCode = served.seconds <= target.seconds && served.megabytes <= target.megabytes ? 0 : 1
