/** Half a minute of the chaos of bench/soak: three kills, every fault, every answer compared. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"

const soak = fileURLToPath(new URL("../bench/soak/soak.ts", import.meta.url))

it("X7: killed every ten seconds under a failing vendor, every answer equals the market", { timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), "tapestry-soak-test-"))
  const result = join(directory, "result.json")
  const options = ["--seconds", "30", "--kill-every", "10", "--symbols", "6", "--seed", "20261129", "--result", result]
  const run = spawnSync(process.execPath, [soak, ...options], { encoding: "utf8" })
  const found = JSON.parse(readFileSync(result, "utf8"))
  rmSync(directory, { recursive: true })
  assert.deepStrictEqual(found.problems, [], run.stdout + run.stderr)
  assert.strictEqual(run.status, 0, run.stdout + run.stderr)
  assert.strictEqual(found.kills, 3)
  assert.strictEqual(found.finals, 36)
  assert.isAbove(found.answers, 50)
  assert.isAbove(found.compared, 5_000)
})
