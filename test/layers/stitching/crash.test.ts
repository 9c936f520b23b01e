/** Real processes, killed for real: what is archived is never asked for again, whatever was under way. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { over, temporaryDirectory } from "./support.ts"

const child = fileURLToPath(new URL("./crashChild.ts", import.meta.url))

const run = (directory: string, crashPoint: string) =>
  Effect.sync(() => {
    const { signal, status, stderr, stdout } = spawnSync(
      process.execPath,
      [child, directory, join(directory, "vendor.log")],
      { env: { TAPESTRY_CRASH_POINT: crashPoint }, encoding: "utf8", timeout: 30_000 }
    )
    return { signal, status, stderr, stdout }
  })

const asked = (directory: string) => readFileSync(join(directory, "vendor.log"), "utf8").trim().split("\n")

const archivedIn = (directory: string) =>
  Effect.gen(function* () {
    const archive = yield* ProvenanceStore
    return (yield* archive.stats).responses
  }).pipe(Effect.provide(over(directory, [])))

describe("StitchingCache, killed", () => {
  for (const point of ["afterBytes", "afterResponse", "midCommit", "afterCommit"]) {
    it.effect(`killed at ${point}, the next process asks for nothing that is archived and has all the rows`, () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const killed = yield* run(directory, point)
        assert.strictEqual(killed.signal, "SIGKILL", killed.stderr)
        assert.deepStrictEqual(asked(directory), ["2024-03-01T00:00:00.000Z"])
        assert.strictEqual(yield* archivedIn(directory), 1)
        const again = yield* run(directory, "")
        assert.strictEqual(again.status, 0, again.stderr)
        assert.deepStrictEqual(JSON.parse(again.stdout), { rows: 24, equal: true, covered: true })
        const pieces = ["00", "06", "12", "18"].map((hours) => `2024-03-01T${hours}:00:00.000Z`)
        assert.deepStrictEqual(asked(directory), pieces)
        const settled = yield* run(directory, "")
        assert.strictEqual(settled.status, 0, settled.stderr)
        assert.strictEqual(asked(directory).length, 4, "a third process asks for nothing")
      })
    )
  }
})
