/** examples/browser-client, bundled, served from an origin of its own, in headless Chromium where there is one. */
import { type ChildProcess, spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { rolldown } from "rolldown"
import { kill, place, start, temporary } from "../rpc/client/support.ts"
import * as Chromium from "./chromium.ts"
import { at } from "./support.ts"

if (Chromium.chromium === "")
  console.log("SKIPPED 2: no chromium on this machine; examples/browser-client was not run in a browser")

const page = Effect.gen(function* () {
  const directory = yield* temporary
  yield* Effect.promise(async () => {
    const build = await rolldown({
      input: at("examples/browser-client/main.ts"),
      platform: "browser",
      resolve: { alias: { "tapestry/client": at("src/client.ts"), "tapestry/contract": at("src/contract.ts") } },
      checks: { circularDependency: false },
      onLog: () => {}
    })
    await build.write({ file: join(directory, "main.js"), format: "esm", minify: true })
    await build.close()
  })
  return directory
})

/** The example's static server; gives its origin. */
const served = (directory: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [at("examples/browser-client/serve.mjs"), directory, "0"], {
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    kill
  ).pipe(
    Effect.flatMap((child: ChildProcess) =>
      Effect.callback<string>((resume) => {
        child.stdout?.once("data", (text) => resume(Effect.succeed(String(text).trim())))
      })
    )
  )

describe("examples/browser-client", () => {
  it.live.skipIf(Chromium.chromium === "")(
    "loads bars over the WebSocket from an allowed origin and draws them; from another it is refused",
    () =>
      Effect.gen(function* () {
        const directory = yield* page
        const origin = yield* served(directory)
        const where = yield* place
        yield* start(where, [origin])
        const url = `${origin}/?server=ws://127.0.0.1:${where.http}/rpc`

        const allowed = yield* Chromium.open(url, join(directory, "profile"))
        const html = yield* allowed.html
        assert.include(html, "326 bars from tapestry 0.0.0-test")
        assert.include(html, "v1/sample/-/SPX/bar/1d/trade/regular/USD/raw")
        assert.strictEqual(html.match(/data-ts=/g)?.length, 326)
        assert.match(html, /2019-01-02<\/text>[\s\S]*2020-04-17<\/text>/)
        assert.match(html, /opening date, UTC<\/text>[\s\S]*>USD<\/text>/)
        assert.match(html, /<td>2019-01-01<\/td><td>[0-9-]+<\/td><td>(Covered|Empty)<\/td>/)
        const picture = yield* allowed.screenshot
        assert.strictEqual(picture.subarray(1, 4).toString(), "PNG")
        const shot = process.env.TAPESTRY_TEST_SCREENSHOT
        if (shot !== undefined) writeFileSync(shot, picture)

        const other = yield* served(directory)
        const foreign = `${other}/?server=ws://127.0.0.1:${where.http}/rpc`
        const refused = yield* Effect.flatMap(Chromium.open(foreign, join(directory, "other")), ({ html }) => html)
        assert.include(refused, "failed: RpcClientError")
        assert.notInclude(refused, "data-ts=")
      }).pipe(Effect.scoped),
    90_000
  )
})
