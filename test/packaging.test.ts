/**
 * What a newcomer meets: the tarball in an empty project, and a fresh clone on a machine that has only Node 20, npm 11, sh,
 * git and coreutils. Both run the real npm. Nothing here may depend on what this checkout has installed.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "@effect/vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), "tapestry-packaging-"))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const run = (command: string, args: ReadonlyArray<string>, cwd: string, env: NodeJS.ProcessEnv = process.env) => {
  const result = spawnSync(command, args, { cwd, env, encoding: "utf8", maxBuffer: 1 << 26 })
  assert.strictEqual(result.status, 0, `${command} ${args.join(" ")}\n${result.stdout}\n${result.stderr}`)
  return result.stdout
}

/** The machine's own commands, without the project's node_modules/.bin that npm puts in front. */
const outerPath = (process.env.PATH ?? "")
  .split(":")
  .filter((entry) => !entry.includes("node_modules"))
  .join(":")
const which = (command: string): string | undefined => {
  const found = spawnSync("sh", ["-c", `command -v ${command}`], { env: { PATH: outerPath }, encoding: "utf8" })
  return found.status === 0 ? found.stdout.trim() : undefined
}

/** Every entry point in one program: serves what it embeds, and is the client of itself over three transports. */
const servedAndAsked = `
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Layer } from "effect"
import { Tapestry, TapestryConfig } from "tapestry"
import { HttpClient, TapestryClient, TcpClient, WebSocketClient } from "tapestry/client"
import { AdapterRegistryError, protocolVersion } from "tapestry/contract"
import { serve } from "tapestry/server"

const ask = (name: string, layer: Layer.Layer<TapestryClient>) =>
  Effect.gen(function* () {
    const client = yield* TapestryClient
    const { protocol } = yield* client["System.hello"]()
    const error = yield* Effect.flip(client["Vendors.describe"]({ vendor: "nobody" }))
    if (protocol !== protocolVersion || !(error instanceof AdapterRegistryError)) return yield* Effect.die(error)
    yield* Console.log(\`protocol \${protocol} over \${name}, caught \${error._tag}\`)
  }).pipe(Effect.provide(layer))

const main = Effect.gen(function* () {
  const at = { host: "127.0.0.1", port: 0 }
  const { http, tcp } = yield* serve({
    product: "consumer",
    http: { ...at, allowedHosts: [], allowedOrigins: [] },
    tcp: at,
    socket: null
  })
  if (http === null || tcp === null) return yield* Effect.die("not served")
  yield* ask("http", HttpClient.layer({ url: \`http://127.0.0.1:\${http.port}/rpc\` }))
  yield* ask("websocket", WebSocketClient.layer({ url: \`ws://127.0.0.1:\${http.port}/rpc\` }))
  yield* ask("tcp", TcpClient.layer(tcp))
}).pipe(Effect.scoped)

const dataDir = process.argv[2] ?? ".tapestry"
await Effect.runPromise(
  main.pipe(
    Effect.provide(Tapestry.layer({ dataDir, config: TapestryConfig.defaults })),
    Effect.provide(NodeServices.layer)
  )
)
`

describe("the tarball", () => {
  it("holds dist, README and licences, is under 3 MB, installs into an empty project, compiles and runs there", () => {
    // A copy of the working tree is packed, since packing builds dist/ anew and other tests run what is in this one's.
    const source = join(scratch, "source")
    cpSync(root, source, {
      recursive: true,
      filter: (path) => !/^(node_modules|dist|\.git|\.tapestry|coverage)(\/|$)/.test(relative(root, path))
    })
    symlinkSync(join(root, "node_modules"), join(source, "node_modules"))
    const printed = run("npm", ["pack", "--json", "--foreground-scripts=false", "--pack-destination", scratch], source)
    const packed: ReadonlyArray<{ filename: string; size: number; files: ReadonlyArray<{ path: string }> }> =
      JSON.parse(printed.slice(printed.search(/^\[$/m)))
    const [tarball] = packed
    assert.isDefined(tarball)
    assert.isBelow(tarball.size, 3_000_000)
    const paths = tarball.files.map((file) => file.path)
    for (const path of [
      "README.md",
      "LICENSE",
      "dist/cli.mjs",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/client.js",
      "dist/client.d.ts",
      "dist/contract.js",
      "dist/contract.d.ts",
      "dist/server.js",
      "dist/server.d.ts",
      "dist/testing.js",
      "dist/THIRD-PARTY-LICENCES.txt",
      "dist/sample/sp500-2000.csv",
      "dist/sample/LICENSE.txt"
    ]) {
      assert.include(paths, path)
    }
    assert.deepStrictEqual(
      paths.filter((path) => !/^(dist\/|README\.md|LICENSE|CHANGELOG\.md|package\.json)/.test(path)),
      []
    )

    const project = join(scratch, "consumer")
    mkdirSync(project)
    writeFileSync(
      join(project, "package.json"),
      JSON.stringify({ name: "consumer", type: "module", private: true, allowScripts: { "better-sqlite3": false } })
    )
    run("npm", ["install", "--no-audit", "--no-fund", join(scratch, tarball.filename)], project)
    writeFileSync(join(project, "use.ts"), readFileSync(join(root, "examples/consumer.ts")))
    writeFileSync(join(project, "served.ts"), servedAndAsked)
    for (const example of ["embed/main", "embed/TideVendor", "node-client/main"]) {
      mkdirSync(join(project, dirname(example)), { recursive: true })
      writeFileSync(join(project, `${example}.ts`), readFileSync(join(root, `examples/${example}.ts`)))
    }
    const shown = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1] ?? ""
    assert.include(shown, "Tapestry.layer")
    writeFileSync(
      join(project, "readme.ts"),
      `import { Console, Effect, Stream } from "effect"
import { AdapterRegistry, StitchingCache, Tapestry, TapestryConfig } from "tapestry"
${shown}`
    )
    const compile = (types: ReadonlyArray<string>, include: ReadonlyArray<string>) => {
      const compilerOptions = {
        module: "NodeNext",
        moduleResolution: "NodeNext",
        target: "ES2024",
        lib: ["ES2024", "ESNext.Disposable", "DOM"],
        strict: true,
        noEmit: true,
        allowImportingTsExtensions: true,
        exactOptionalPropertyTypes: true,
        types,
        skipLibCheck: false
      }
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include }))
      run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", project], project)
    }
    compile([], ["use.ts", "readme.ts"])
    compile(["node"], ["served.ts", "embed/*.ts", "node-client/*.ts"])
    const said = run(process.execPath, [join(project, "use.ts")], project)
    assert.match(said, /5 bars of SPX, the first closes at 2510\.03/)
    const embedded = run(process.execPath, ["embed/main.ts", join(scratch, "tides")], project)
    assert.include(embedded, "37 hours of DOVER")
    const served = run(process.execPath, ["served.ts", join(scratch, "served")], project)
    for (const transport of ["http", "websocket", "tcp"]) {
      assert.include(served, `protocol 1 over ${transport}, caught AdapterRegistryError`)
    }
    const cli = run(process.execPath, [join(project, "node_modules/.bin/tapestry"), "--version"], project)
    assert.include(cli, JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version)
  }, 180_000)
})

describe("a fresh machine", () => {
  const node20 = which("node")
  const usable = node20 !== undefined && execFileSync(node20, ["--version"], { encoding: "utf8" }).startsWith("v20.")
  if (!usable) console.log("SKIPPED 1: no Node 20 on this machine's own PATH; the fresh-machine install was not tried")

  it.skipIf(!usable)(
    "needs only Node 20, npm, sh, git and coreutils for npm ci, the demo and the test runner",
    () => {
      const printed = run("sh", [join(root, "test/fresh-machine.sh"), "test/domain"], scratch)
      assert.match(printed, /^node v20\..*no python3 cc gcc make/m)
      assert.match(printed, /sha256 {4}[0-9a-f]{64}/)
      assert.match(printed, /Test Files .*passed/)
    },
    300_000
  )
})
