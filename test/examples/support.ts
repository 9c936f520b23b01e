/** Runs an example as its reader would, with the sources of this checkout in place of the installed package. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"

export const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export const run = (
  command: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  timeout = 30_000
): Effect.Effect<Run> =>
  Effect.callback<Run>((resume) => {
    const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env }, timeout })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (text) => {
      stdout += text
    })
    child.stderr.on("data", (text) => {
      stderr += text
    })
    child.once("error", (error) => resume(Effect.succeed({ code: null, stdout, stderr: String(error) })))
    child.once("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

export const node = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  run(process.execPath, ["--import", at("test/examples/fromSource.mjs"), ...args], env)
