/**
 * dist/: the library with declarations (tsc), the bundled CLI (rolldown; better-sqlite3 stays outside, it is native), the
 * sample's data with its licence, and the licences of what the bundle holds.
 *
 * The CLI is cli.mjs and, beside it, what its commands load when they touch data (cli-*.mjs): `--help` then takes 10 MB less.
 * Text outside ASCII is escaped, or every script would take two bytes a character in memory.
 */

import { spawnSync } from "node:child_process"
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

const root = fileURLToPath(new URL("..", import.meta.url))
const at = (path: string) => `${root}${path}`
const only = process.argv[2]

const bundle = async () => {
  const build = await rolldown({
    input: at("src/programs/main.ts"),
    platform: "node",
    external: ["better-sqlite3"],
    checks: { circularDependency: false, pluginTimings: false }
  })
  const stale = (await readdir(at("dist"))).filter((file) => /^cli(-.*)?\.mjs$/.test(file))
  await Promise.all(stale.map((file) => rm(at(`dist/${file}`))))
  const { output } = await build.write({
    dir: at("dist"),
    entryFileNames: "cli.mjs",
    chunkFileNames: "cli-[name].mjs",
    format: "esm",
    charset: "ascii",
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    comments: { legal: false },
    banner: (chunk) => (chunk.isEntry ? "#!/usr/bin/env node" : "")
  })
  await build.close()
  await chmod(at("dist/cli.mjs"), 0o755)
  await licences(output.flatMap((part) => (part.type === "chunk" ? part.moduleIds : [])))
}

const sample = async () => {
  await mkdir(at("dist/sample"), { recursive: true })
  await copyFile(at("node_modules/vega-datasets/data/sp500-2000.csv"), at("dist/sample/sp500-2000.csv"))
  await copyFile(at("licences/vega-datasets.txt"), at("dist/sample/LICENSE.txt"))
}

/** The packages whose code went into the bundle, by the paths of its modules. */
const packagesOf = (moduleIds: ReadonlyArray<string>): ReadonlyArray<string> =>
  [
    ...new Set(
      moduleIds.flatMap((id) => {
        const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(id)?.[1]
        return name === undefined ? [] : [name]
      })
    )
  ].sort()

const licences = async (moduleIds: ReadonlyArray<string>) => {
  const texts = await Promise.all(
    packagesOf(moduleIds).map(async (name) => {
      const [own] = (await readdir(at(`node_modules/${name}`))).filter((file) => /^licen[cs]e/i.test(file))
      // Some have it in their README alone: it is kept in licences/.
      const [kept] = (await readdir(at("licences"))).filter((file) => file === `${name}.txt`)
      if (own === undefined && kept === undefined) throw new Error(`${name} is in the bundle and has no licence file`)
      const text = await readFile(at(own === undefined ? `licences/${kept}` : `node_modules/${name}/${own}`), "utf8")
      return `${name}\n\n${text.trim()}\n`
    })
  )
  await writeFile(at("dist/THIRD-PARTY-LICENCES.txt"), texts.join(`\n${"-".repeat(78)}\n\n`))
}

const library = () => {
  const tsc = spawnSync(process.execPath, [at("node_modules/typescript/bin/tsc"), "-p", at("tsconfig.build.json")], {
    stdio: "inherit"
  })
  if (tsc.status !== 0) process.exit(tsc.status ?? 1)
}

if (only !== "cli") await rm(at("dist"), { recursive: true, force: true })
await mkdir(at("dist"), { recursive: true })
await Promise.all([bundle(), sample()])
if (only !== "cli") library()
