/** A split is found, and the process that found it is killed wherever it is: the next one has the new market, whole. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryDirectory } from "./support.ts"

const child = fileURLToPath(new URL("./splitChild.ts", import.meta.url))

const run = (directory: string, at: string, to: string, crash = "") => {
  const log = join(directory, "vendor.log")
  const args = [child, directory, at, to, log, crash]
  const { signal, stderr, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000, env: {} })
  return { signal, stderr, answer: stdout === "" ? null : JSON.parse(stdout) }
}

const asked = (directory: string) => readFileSync(join(directory, "vendor.log"), "utf8").trim().split("\n")

const before = "2024-03-06T10:00:00Z"
const after = "2024-03-06T14:00:00Z"

/** The new day, compared with the old one; the old day again, in two pieces; its oldest bar once more. */
const clean = ["03-01T23 13", "03-02T11 13", "03-01T00 14", "03-01T14 10", "03-01T00 1"]

describe("StitchingCache, killed in the middle of a split", () => {
  const cases = ["afterResponse 1", "afterResponse 3", "afterResponse 5", "midCommit 2", "midCommit 4", "afterCommit 3"]
  for (const crash of cases) {
    it.effect(
      `C38 killed at ${crash}: nothing that is archived is asked for again, and there is no mix`,
      () =>
        Effect.gen(function* () {
          const directory = yield* temporaryDirectory
          assert.strictEqual(run(directory, before, "2024-03-02T00:00:00Z").answer?.rows, 24)
          const first = asked(directory).length
          const killed = run(directory, after, "2024-03-03T00:00:00Z", crash)
          assert.strictEqual(killed.signal, "SIGKILL", killed.stderr)
          const next = run(directory, after, "2024-03-03T00:00:00Z")
          assert.deepStrictEqual(next.answer, { rows: 48, isNew: true, pastIsOld: true }, next.stderr)
          const requests = asked(directory).slice(first)
          // Only what proves that nothing moved meanwhile cannot be taken from the archive.
          const distinct = requests.filter(
            (request, index) => requests.indexOf(request) === index || !request.endsWith(" 1")
          )
          assert.deepStrictEqual([...distinct].sort(), [...clean].sort())
        }),
      120_000
    )
  }
})
