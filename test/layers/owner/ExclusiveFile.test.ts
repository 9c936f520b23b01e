/** The lock in a process that has this package twice, each with a better-sqlite3 of its own. */
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const directory = mkdtempSync(join(tmpdir(), "tapestry-twice-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** The sources, with all of their dependencies but better-sqlite3 in common. */
const copied = (): string => {
  const copy = join(directory, "copy")
  const modules = join(copy, "node_modules")
  for (const floor of ["domain", "services", "layers/owner"]) {
    cpSync(join(root, "src", floor), join(copy, "src", floor), { recursive: true })
  }
  cpSync(join(root, "package.json"), join(copy, "package.json"))
  mkdirSync(modules)
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name !== "better-sqlite3") symlinkSync(join(root, "node_modules", name), join(modules, name))
  }
  const sources = ["deps", "src"].map((name) => join(root, "node_modules/better-sqlite3", name))
  cpSync(join(root, "node_modules/better-sqlite3"), join(modules, "better-sqlite3"), {
    recursive: true,
    dereference: true,
    filter: (path) => !sources.includes(path)
  })
  return copy
}

describe("ExclusiveFile", () => {
  it("is held against a second copy of itself and of better-sqlite3 in the same process, which does not drop it", () => {
    const child = fileURLToPath(new URL("./secondCopyChild.ts", import.meta.url))
    const run = spawnSync(process.execPath, [child, copied(), join(directory, "lock")], { encoding: "utf8" })
    assert.strictEqual(run.status, 0, run.stderr)
    assert.deepStrictEqual(JSON.parse(run.stdout), { other: true, second: false, elsewhere: false, after: true })
  })
})
