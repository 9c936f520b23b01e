import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { limit } from "../../src/programs/youngGeneration.ts"

const child = fileURLToPath(new URL("youngGenerationChild.ts", import.meta.url))

/** V8 would let it grow to twice this on both. */
const youngBytes = (...words: ReadonlyArray<string>): number => {
  const run = spawnSync(process.execPath, ["--max-semi-space-size=64", child, ...words], { encoding: "utf8" })
  assert.strictEqual(run.status, 0, run.stderr)
  return Number(run.stdout)
}

describe("the young generation of a server", () => {
  it("is held at its limit, which the same work would go far beyond", () => {
    const held = youngBytes("held")
    assert.isAtMost(held, limit)
    assert.isAtLeast(held, limit / 4, "and is not kept from growing so far")
    assert.isAtLeast(youngBytes(), 2 * limit)
  })
})
