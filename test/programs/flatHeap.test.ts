import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"

const child = fileURLToPath(new URL("flatHeapChild.ts", import.meta.url))

/** Bytes, at the most. */
const oldGeneration = (...words: ReadonlyArray<string>): number => {
  const run = spawnSync(process.execPath, [child, ...words], { encoding: "utf8" })
  assert.strictEqual(run.status, 0, run.stderr)
  return Number.parseInt(run.stdout, 10)
}

describe("the heap of a command that passes rows on", () => {
  it("has much less garbage in its old generation than V8 would let pile up", () => {
    assert.isBelow(oldGeneration("flat"), 0.75 * oldGeneration())
  })
})
