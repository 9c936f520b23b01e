/**
 * Claim: the built CLI answers `--help` in 0.15 s with at most 70 MB. Baseline: `node -e 0`, the same process without a program.
 * Time is from spawn to exit; memory is the most that the process ever had resident, as the system counts it.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ensureBundle } from "../test/support/bundle.ts"

const runs = 5
const target = { seconds: 0.15, megabytes: 70 }
const scratch = mkdtempSync(join(tmpdir(), "tapestry-bench-help-"))
// Read from inside, at the end, since a parent cannot ask the system about a child that is gone. It is CommonJS so that it
// adds next to nothing: the ES module loader would be counted to the baseline, too.
const probe = join(scratch, "probe.cjs")
writeFileSync(
  probe,
  'process.on("exit", () => require("node:fs").writeSync(3, String(process.resourceUsage().maxRSS)))\n'
)

interface Sample {
  readonly seconds: number
  readonly megabytes: number
}

const sample = (args: ReadonlyArray<string>): Sample => {
  const began = performance.now()
  const timed = spawnSync(process.execPath, args, { stdio: "ignore" })
  const seconds = (performance.now() - began) / 1000
  if (timed.status !== 0) throw new Error(`node ${args.join(" ")} ended with ${timed.status}`)
  const measured = spawnSync(process.execPath, ["--require", probe, ...args], {
    stdio: ["ignore", "ignore", "inherit", "pipe"]
  })
  // maxRSS is in KiB.
  return { seconds, megabytes: (Number(String(measured.output[3])) * 1024) / 1e6 }
}

const median = (values: ReadonlyArray<number>) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const measure = (args: ReadonlyArray<string>): Sample => {
  const samples = Array.from({ length: runs }, () => sample(args))
  return { seconds: median(samples.map((one) => one.seconds)), megabytes: median(samples.map((one) => one.megabytes)) }
}

const bundle = ensureBundle()
sample([bundle, "--help"])
const bare = measure(["-e", "0"])
const help = measure([bundle, "--help"])
rmSync(scratch, { recursive: true, force: true })

const verdict = (holds: boolean) => (holds ? "holds" : "misses")
console.log(`built CLI --help (median of ${runs} runs)`)
console.log(
  `  time    ${help.seconds.toFixed(3)} s   ${(help.seconds / bare.seconds).toFixed(1)} x node -e 0 (${bare.seconds.toFixed(3)} s)   target ${target.seconds} s   ${verdict(help.seconds <= target.seconds)}`
)
console.log(
  `  memory  ${help.megabytes.toFixed(1)} MB   ${(help.megabytes / bare.megabytes).toFixed(1)} x node -e 0 (${bare.megabytes.toFixed(1)} MB)   target ${target.megabytes} MB   ${verdict(help.megabytes <= target.megabytes)}`
)
