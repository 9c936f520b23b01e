/**
 * The CLI as it ships. Tests of commands run dist/cli.mjs as a child process; it is built when it is missing or older than
 * its sources. Several test files may ask at once: the first builds, the others wait for it.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
export const bundle = join(root, "dist/cli.mjs")
const lock = join(root, "dist/.cli-build")

const modified = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

const newestSource = (): number => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts")
  )
  const all = [...sources.map((file) => join("src", file)), "package.json", "scripts/build.ts"]
  return Math.max(...all.map((file) => modified(join(root, file))))
}

const isCurrent = (): boolean => modified(bundle) >= newestSource()

const build = (): void => {
  const built = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "cli"], { cwd: root, encoding: "utf8" })
  if (built.status !== 0) throw new Error(`the CLI cannot be built:\n${built.stdout}${built.stderr}`)
}

const pause = (millis: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis)

/** Makes sure that dist/cli.mjs is what the sources say, and gives its path. */
export const ensureBundle = (): string => {
  mkdirSync(join(root, "dist"), { recursive: true })
  const patience = Date.now() + 60_000
  while (!isCurrent()) {
    try {
      mkdirSync(lock)
    } catch {
      // Another test file builds. A lock that outlives a minute was left by a run that was killed.
      if (Date.now() > patience && existsSync(lock)) rmdirSync(lock)
      pause(100)
      continue
    }
    try {
      if (!isCurrent()) build()
      if (!isCurrent()) return bundle
    } finally {
      rmdirSync(lock)
    }
  }
  return bundle
}
