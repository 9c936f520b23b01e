/**
 * Chaos: a Yahoo-speaking server that drops, delays, truncates, throttles and splits, and a process over one data directory that
 * asks it at random, compares every answer with the market, and is killed with SIGKILL and started again, each time a day later.
 * At the end everything is read once more and must be the market of then, the archive must verify, and a rebuild must be equal.
 *
 *   node bench/soak/soak.ts [--seconds 600] [--kill-every 20] [--symbols 50] [--seed N] [--result FILE]
 *
 * The same seed asks the same questions and breaks the same things, as far as the machine keeps the same time. Ends with 1, and
 * with the problems in the result file, when anything is wrong.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Effect } from "effect"
import * as YahooServer from "../../src/layers/testing/yahoo/YahooServer.ts"
import type { ClientOptions } from "./client.ts"
import { day, faultsOf, firstDay, instrumentsOf } from "./plan.ts"
import { withClockAhead } from "./shifted.ts"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    "kill-every": { type: "string", default: "20" },
    symbols: { type: "string", default: "50" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    result: { type: "string", default: "soak-result.json" }
  }
})
const seconds = Number(values.seconds)
const killEvery = Number(values["kill-every"])
const symbols = Number(values.symbols)
const seed = Number(values.seed)
const rounds = Math.max(1, Math.floor(seconds / killEvery))
const root = fileURLToPath(new URL("../..", import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), "tapestry-soak-"))

interface Sample {
  readonly round: number
  readonly rss: number
  readonly files: number
}

const tally = { answers: 0, rows: 0, compared: 0, requests: 0, finals: 0, kills: 0, ended: 0 }
const problems: Array<unknown> = []
const samples: Array<Sample> = []
let ahead = 0
let round = 0

const take = (line: string): void => {
  const event = JSON.parse(line)
  if (event._tag === "Holds") {
    samples.push({ round, rss: event.rss, files: event.files })
    return
  }
  tally.answers++
  if (event._tag === "Final") tally.finals++
  tally.rows += event.rows
  tally.compared += event.compared
  tally.requests += event.requests
  if (event.problem !== undefined && problems.length < 100) problems.push({ round, ...event })
}

const start = (options: ClientOptions): ChildProcess => {
  const client = fileURLToPath(new URL("client.ts", import.meta.url))
  const child = spawn(process.execPath, [client, JSON.stringify(options)], { stdio: ["ignore", "pipe", "pipe"] })
  let rest = ""
  child.stdout.on("data", (chunk) => {
    const lines = (rest + chunk).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) take(line)
  })
  let errors = ""
  child.stderr.on("data", (chunk) => {
    errors = (errors + chunk).slice(0, 4_000)
  })
  child.on("exit", (code, signal) => {
    if (signal === "SIGKILL") return
    if (code === 0) tally.ended++
    else problems.push({ round, problem: `the process ended with ${code ?? signal}`, errors })
  })
  return child
}

const exited = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) resume(Effect.void)
    else child.once("exit", () => resume(Effect.void))
  })

/** The command line over what the run left, as an operator would look at it. */
const command = (host: string, ...words: ReadonlyArray<string>) => {
  const file = join(dataDir, "..", `${dataDir.split("/").at(-1)}.yaml`)
  writeFileSync(file, `sample: false\nvendors:\n  yahoo: { adapter: yahoo, host: "${host}" }\n`)
  const main = join(root, "src/programs/main.ts")
  const run = spawnSync(process.execPath, [main, ...words, "--data-dir", dataDir, "--config", file], {
    encoding: "utf8",
    maxBuffer: 1 << 28
  })
  rmSync(file)
  return {
    words: words.join(" "),
    code: run.status,
    stdout: run.stdout.slice(-2_000),
    stderr: run.stderr.slice(-2_000)
  }
}

const mean = (numbers: ReadonlyArray<number>): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

/** What the processes held in the first third of the rounds, and in the last. */
const growth = (of: (sample: Sample) => number) => {
  const third = Math.max(1, Math.floor(rounds / 3))
  const first = samples.filter((sample) => sample.round < third).map(of)
  const last = samples.filter((sample) => sample.round >= rounds - third).map(of)
  return { first: Math.round(mean(first)), last: Math.round(mean(last)), most: Math.max(...samples.map(of)) }
}

const run = Effect.scoped(
  Effect.gen(function* () {
    const instruments = instrumentsOf(seed, symbols, rounds)
    const began = performance.now()
    ahead = firstDay - Date.now()
    const server = yield* YahooServer.make({ seed, instruments })
    const common = { dataDir, host: server.host, seed, symbols, days: rounds }
    for (; round < rounds; round++) {
      ahead = firstDay - Date.now() + round * day
      server.setFaults(faultsOf(seed, round))
      server.clearLog()
      const child = start({ ...common, round, ahead, last: false })
      yield* Effect.raceFirst(Effect.sleep(`${killEvery} seconds`), exited(child))
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL")
        tally.kills++
      }
      yield* exited(child)
      console.log(
        `round ${round + 1}/${rounds}: ${tally.answers} answers, ${tally.compared} bars compared, ${tally.requests} requests, ${problems.length} problems`
      )
    }
    ahead = firstDay - Date.now() + rounds * day
    server.setFaults(YahooServer.noFaults)
    const last = start({ ...common, round, ahead, last: true })
    yield* exited(last)
    const verify = command(server.host, "archive", "verify")
    const rebuild = command(server.host, "rebuild", "--check")
    for (const check of [verify, rebuild]) if (check.code !== 0) problems.push(check)
    const result = {
      seed,
      seconds,
      killEvery,
      symbols,
      elapsedSeconds: Math.round((performance.now() - began) / 1000),
      ...tally,
      memory: growth(({ rss }) => rss),
      files: growth(({ files }) => files),
      verify: verify.stdout.trim().split("\n").at(-1),
      rebuild: rebuild.stdout.trim().split("\n").at(-1),
      problems
    }
    if (result.files.last > result.files.first + 20) problems.push({ problem: "open files grow", files: result.files })
    if (result.memory.last > result.memory.first * 1.5)
      problems.push({ problem: "memory grows", memory: result.memory })
    if (tally.finals === 0 || tally.compared === 0) problems.push({ problem: "nothing was compared" })
    writeFileSync(values.result, `${JSON.stringify(result, null, 2)}\n`)
    console.log(JSON.stringify({ ...result, problems: problems.length }))
    for (const problem of problems.slice(0, 5)) console.log(JSON.stringify(problem))
    rmSync(dataDir, { recursive: true, force: true })
    process.exitCode = problems.length === 0 ? 0 : 1
  })
)

await Effect.runPromise(withClockAhead(() => ahead)(run))
