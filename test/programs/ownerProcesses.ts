/** Starts commands with a countable vendor (ownerChild.ts) as processes, and reads what they and their vendor left behind. */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll } from "@effect/vitest"
import { Effect } from "effect"
import * as TapestryConfig from "../../src/layers/config/TapestryConfig.ts"
import * as QuotaSqlite from "../../src/layers/quota/QuotaSqlite.ts"
import * as Tapestry from "../../src/layers/Tapestry.ts"
import { ProvenanceStore } from "../../src/services/ProvenanceStore.ts"
import { Quota } from "../../src/services/Quota.ts"

const child = fileURLToPath(new URL("./ownerChild.ts", import.meta.url))
const running = new Set<ChildProcess>()
const directories: Array<string> = []

// Not after each: some of them run at the same time.
afterAll(async () => {
  await Promise.all([...running].map(ended))
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** Ends a process for good. */
export const ended = (process: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (process.exitCode !== null || process.signalCode !== null) return resolve()
    process.once("close", () => resolve())
    process.kill("SIGKILL")
  })

/** A directory that is removed when the tests are done. */
export const scratch = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "tapestry-owner-"))
  directories.push(directory)
  return directory
}

export interface Place {
  readonly dataDir: string
  readonly log: string
}

export const place = (): Place => {
  const directory = scratch()
  return { dataDir: join(directory, "data"), log: join(directory, "vendor.log") }
}

const started = ({ dataDir, log }: Place, ...args: ReadonlyArray<string>) => {
  const process_ = spawn(process.execPath, [child, dataDir, log, ...args], { stdio: ["ignore", "pipe", "inherit"] })
  running.add(process_)
  process_.once("close", () => running.delete(process_))
  return process_
}

/** An owner that serves its socket until it is killed. */
export const server = (where: Place, millis: number): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const process = started(where, "serve", String(millis))
    process.stdout.once("data", () => resolve(process))
    process.once("close", (code) => reject(new Error(`the owner ended with ${code}`)))
  })

export interface Had {
  readonly process: ChildProcess
  /** The document that it printed, once it has ended; null when it was killed before. */
  readonly document: Promise<Record<string, unknown> | null>
  readonly printed: Promise<void>
}

/** A command that reads so many pieces of the day, whose vendor takes `millis` for each. */
export const bars = (where: Place, millis: number, pieces = 4): Had => {
  const process = started(where, "bars", String(millis), String(pieces))
  let text = ""
  const printed = new Promise<void>((resolve) =>
    process.stdout.on("data", (chunk) => {
      text += chunk
      if (text.endsWith("\n")) resolve()
    })
  )
  const document = new Promise<Record<string, unknown> | null>((resolve) =>
    process.once("close", () => resolve(text === "" ? null : JSON.parse(text)))
  )
  return { process, document, printed }
}

/** What the vendors of all processes were asked for, in order. */
export const asked = ({ log }: Place): ReadonlyArray<string> =>
  existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : []

/** Waits until the vendor was asked for so many pieces. */
export const askedFor = async (where: Place, count: number): Promise<void> => {
  const until = performance.now() + 20_000
  while (asked(where).length < count) {
    if (performance.now() > until) throw new Error(`the vendor was asked only ${asked(where).length} times`)
    await pause(10)
  }
}

/** Answers of the vendor that are archived, each once. */
export const archived = ({ dataDir }: Place): Promise<number> =>
  ProvenanceStore.use((archive) => archive.stats).pipe(
    Effect.map(({ responses }) => responses),
    Effect.provide(Tapestry.layerReadonly({ dataDir, config: { ...TapestryConfig.defaults, dataDir } })),
    Effect.provide(NodeServices.layer),
    Effect.runPromise
  )

/** What the vendor's window counts, as the next owner would see it. */
export const spent = ({ dataDir }: Place): Promise<number | undefined> =>
  Effect.gen(function* () {
    const quota = yield* Quota
    yield* quota.configure("model", {
      windows: [{ name: "hourly", limit: 1_000, span: 3_600_000, key: null }],
      maxInFlight: null
    })
    return (yield* quota.use("model")).windows[0]?.used
  }).pipe(Effect.provide(QuotaSqlite.layer({ filename: join(dataDir, "quota.sqlite") })), Effect.runPromise)

export const ownerOf = ({ dataDir }: Place): { readonly pid: number; readonly socket: string | null } =>
  JSON.parse(readFileSync(join(dataDir, "owner.json"), "utf8"))
