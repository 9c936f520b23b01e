/** Runs the bundled CLI as a child process, in a scratch directory of the test file. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert } from "@effect/vitest"
import { ensureBundle } from "../support/bundle.ts"

const bundle = ensureBundle()

const directories: Array<string> = []
// Registered here: a hook that a test registers while it runs is never called. A process of the test may just be ending.
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
})

/** A directory that is removed when the test file is done. */
export const scratch = (name: string): string => {
  const directory = mkdtempSync(join(tmpdir(), `tapestry-${name}-`))
  directories.push(directory)
  return directory
}

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Where {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** Nothing of the machine's own settings reaches the command. */
const environment = (where: Where): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: where.cwd,
  TMPDIR: where.cwd,
  ...where.env
})

export const tapestry = (where: Where, ...args: ReadonlyArray<string>): Run => {
  const result = spawnSync(process.execPath, [bundle, ...args], {
    cwd: where.cwd,
    env: environment(where),
    encoding: "utf8",
    maxBuffer: 1 << 28
  })
  return { code: result.status, stdout: result.stdout, stderr: result.stderr }
}

/** As {@link tapestry}, for what must succeed. */
export const ok = (where: Where, ...args: ReadonlyArray<string>): string => {
  const run = tapestry(where, ...args)
  assert.strictEqual(run.code, 0, `${args.join(" ")}\n${run.stdout}\n${run.stderr}`)
  return run.stdout
}

/** The one JSON document of a command that ended with `code`. */
export const json = (where: Where, code: number, ...args: ReadonlyArray<string>) => {
  const run = tapestry(where, ...args, "--json")
  assert.strictEqual(run.code, code, `${args.join(" ")}\n${run.stdout}\n${run.stderr}`)
  assert.strictEqual(run.stdout.trimEnd().split("\n").length, 1, `not one document: ${run.stdout}`)
  return JSON.parse(run.stdout)
}

/** Starts the command and leaves it running. */
export const start = (where: Where, ...args: ReadonlyArray<string>): ChildProcess =>
  spawn(process.execPath, [bundle, ...args], { cwd: where.cwd, env: environment(where), stdio: "pipe" })

/** What a started command writes, so far and when it has ended. */
export const collected = (child: ChildProcess) => {
  let stdout = ""
  let stderr = ""
  child.stdout?.on("data", (chunk) => {
    stdout += chunk
  })
  child.stderr?.on("data", (chunk) => {
    stderr += chunk
  })
  const end = new Promise<Run & { readonly signal: NodeJS.Signals | null }>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
  )
  return { end, stdout: () => stdout, stderr: () => stderr }
}

/** How a started command ended, with what it wrote. */
export const ended = (child: ChildProcess) => collected(child).end

/** A shell line in which `tapestry` is the bundle. */
export const shell = (where: Where, line: string): Run => {
  const script = `tapestry() { "${process.execPath}" "${bundle}" "$@"; }; ${line}`
  const result = spawnSync("sh", ["-c", script], {
    cwd: where.cwd,
    env: environment(where),
    encoding: "utf8",
    maxBuffer: 1 << 28
  })
  return { code: result.status, stdout: result.stdout, stderr: result.stderr }
}

export const spx = ["SPX", "--vendor", "sample", "--timeframe", "1d"] as const

/** A file vendor with a CSV of minute bars that is long enough to be interrupted. */
export const minuteFile = (rows: number): string => {
  const lines = ["ts,open,high,low,close,volume"]
  const first = Date.UTC(2015, 0, 1)
  for (let i = 0; i < rows; i++) {
    const base = 100 + (i % 7)
    lines.push(`${new Date(first + i * 60_000).toISOString()},${base},${base + 9},${base - 1},${base + 0.5},${i}`)
  }
  return `${lines.join("\n")}\n`
}
