/** Real processes, killed for real in the middle of the pages of a range of trades: none that was archived is asked for again. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryDirectory } from "./support.ts"

const child = fileURLToPath(new URL("./ticksCrashChild.ts", import.meta.url))

const run = (directory: string, crashPoint: string) =>
  Effect.sync(() =>
    spawnSync(process.execPath, [child, directory, join(directory, "vendor.log")], {
      env: { TAPESTRY_CRASH_POINT: crashPoint },
      encoding: "utf8",
      timeout: 30_000
    })
  )

const asked = (directory: string) => readFileSync(join(directory, "vendor.log"), "utf8").trim().split("\n")

describe("StitchingCache, killed between pages", () => {
  for (const point of ["afterBytes", "afterResponse", "midCommit"]) {
    it.effect(`killed twice at ${point}, the next process goes on behind what is archived and has all the rows`, () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        for (let turn = 0; turn < 2; turn++) {
          const killed = yield* run(directory, point)
          assert.strictEqual(killed.signal, "SIGKILL", killed.stderr)
        }
        const again = yield* run(directory, "")
        assert.strictEqual(again.status, 0, again.stderr)
        const told = JSON.parse(again.stdout)
        assert.isAbove(told.rows, 400)
        assert.deepStrictEqual(told, { rows: told.rows, equal: true, covered: true })
        const pages = asked(directory)
        assert.strictEqual(new Set(pages).size, pages.length, pages.join(", "))
        assert.isAtMost(pages.length, Math.ceil(told.rows / 100) + 2)
        const settled = yield* run(directory, "")
        assert.strictEqual(settled.status, 0, settled.stderr)
        assert.strictEqual(asked(directory).length, pages.length, "a fourth process asks for nothing")
      })
    )
  }
})
