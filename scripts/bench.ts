/** Runs every file of bench/, or those whose name holds an argument, one after the other, each in a process of its own. */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"

const bench = fileURLToPath(new URL("../bench", import.meta.url))
const wanted = process.argv.slice(2)
const files = readdirSync(bench)
  .filter((file) => file.endsWith(".ts"))
  .filter((file) => wanted.length === 0 || wanted.some((name) => file.includes(name)))
for (const file of files) {
  console.log(`\n${file}`)
  const run = spawnSync(process.execPath, ["--expose-gc", `${bench}/${file}`], { stdio: "inherit" })
  if (run.status !== 0) process.exitCode = 1
}
