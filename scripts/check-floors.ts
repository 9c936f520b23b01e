/**
 * The floors of the house: domain < services < layers < rpc < programs. A file imports from its own floor or below. The two
 * lowest floors and the RPC contract can be bundled for a browser: nothing from node:, no driver. Sizes: no file over 400
 * lines, nine in ten under 270.
 */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const source = fileURLToPath(new URL("../src", import.meta.url))
const floors = ["domain", "services", "layers", "rpc", "programs"]
const drivers = /^(better-sqlite3|@effect\/platform-node|@effect\/sql-pg|@stoqey\/ib)(\/|$)/
const imports = /(?:from|import)\s*\(?\s*["']([^"']+)["']/g

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .sort()
const floorOf = (file: string) => floors.indexOf(file.split(/[\\/]/)[0] ?? "")
const isPortable = (file: string) => /^(domain|services|rpc\/contract)\//.test(file)

const problems: Array<string> = []
const sizes: Array<number> = []
for (const file of files) {
  const text = readFileSync(join(source, file), "utf8")
  const lines = text.split("\n").length - 1
  sizes.push(lines)
  if (lines > 400) problems.push(`${file}: ${lines} lines; a file over 400 holds two ideas`)
  for (const [, target] of text.matchAll(imports)) {
    if (target === undefined) continue
    if (isPortable(file) && (target.startsWith("node:") || drivers.test(target))) {
      problems.push(`${file} imports ${target}; this floor can be bundled for a browser`)
    }
    if (!target.startsWith(".")) continue
    const imported = relative(source, join(source, dirname(file), target))
    if (floorOf(file) >= 0 && floorOf(imported) > floorOf(file)) {
      problems.push(`${file} imports ${imported}, which is on a floor above it`)
    }
    if (!target.endsWith(".ts") && !target.endsWith(".json"))
      problems.push(`${file} imports ${target} without its ending`)
  }
}

const over270 = sizes.filter((lines) => lines >= 270).length
if (over270 * 10 > sizes.length)
  problems.push(`${over270} of ${sizes.length} files have 270 lines or more; at most one in ten may`)
for (const problem of problems) console.error(problem)
const median = sizes.sort((a, b) => a - b)[Math.floor(sizes.length / 2)] ?? 0
console.log(
  `floors: ${files.length} files, median ${median} lines, ${over270} of 270 or more, ${problems.length} problems`
)
process.exit(problems.length === 0 ? 0 : 1)
