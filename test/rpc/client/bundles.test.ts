/** What a browser gets: the contract and the clients without anything of Node, and how large they are. */
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { rolldown } from "rolldown"

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

const bundle = async (input: string) => {
  const met: Array<string> = []
  const build = await rolldown({
    input,
    platform: "browser",
    resolve: { alias: { "tapestry/client": at("src/client.ts"), "tapestry/contract": at("src/contract.ts") } },
    checks: { circularDependency: false },
    plugins: [
      {
        name: "what of node is met",
        resolveId: (source, importer) => {
          if (!source.startsWith("node:")) return null
          met.push(`${source} from ${importer}`)
          return { id: source, external: true, moduleSideEffects: false }
        }
      }
    ]
  })
  const { output } = await build.generate({ format: "esm", minify: true })
  await build.close()
  const [chunk] = output
  return { met, chunk, kilobytes: chunk.code.length / 1024, zipped: gzipSync(chunk.code).length / 1024 }
}

describe("bundled for a browser", () => {
  it("tapestry/contract reaches nothing of Node, and is under 150 kB", async () => {
    const { chunk, kilobytes, met, zipped } = await bundle(at("src/contract.ts"))
    console.log(`tapestry/contract: ${kilobytes.toFixed(0)} kB, ${zipped.toFixed(0)} kB gzipped`)
    assert.deepStrictEqual(met, [])
    assert.deepStrictEqual([...chunk.imports, ...chunk.dynamicImports], [])
    assert.isBelow(kilobytes, 150)
  })

  for (const client of ["HttpClient", "WebSocketClient"]) {
    it(`${client} reaches nothing of Node`, async () => {
      const { chunk, kilobytes, met, zipped } = await bundle(at(`src/rpc/client/${client}.ts`))
      console.log(`${client}: ${kilobytes.toFixed(0)} kB, ${zipped.toFixed(0)} kB gzipped`)
      assert.deepStrictEqual(met, [])
      assert.deepStrictEqual([...chunk.imports, ...chunk.dynamicImports], [])
    })
  }

  it("a page that takes one client from tapestry/client keeps nothing of the others", async () => {
    const { chunk, kilobytes } = await bundle(at("examples/browser-client/main.ts"))
    assert.deepStrictEqual([...chunk.imports, ...chunk.dynamicImports], [])
    assert.notMatch(chunk.code, /from ?["']node:|require\(/)
    assert.isBelow(kilobytes, 300)
  })
})
