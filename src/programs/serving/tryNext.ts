/** What the demo says can be done with the server that it leaves running: commands that work when they are pasted. */
import { Config, Effect, FileSystem, Path } from "effect"
import * as ListenAddress from "../../layers/config/ListenAddress.ts"
import type { Addresses } from "../../rpc/server/Served.ts"

/** How the one who reads this started us: through npm in a checkout, by the path of the bundle, or as the command. */
const invocation = Effect.gen(function* () {
  const path = yield* Path.Path
  const script = yield* Effect.orDie(Config.String("npm_lifecycle_event").pipe(Config.withDefault("")))
  if (script !== "" && script !== "npx") return "npm run -s tapestry --"
  const file = process.argv[1] ?? "tapestry"
  return path.basename(file) === "tapestry" ? "tapestry" : `node ${quoted(path.relative(process.cwd(), file))}`
})

/** For a shell; plain where nothing in it means anything to one. */
const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

const hello = JSON.stringify({ _tag: "Request", id: "1", tag: "System.hello", payload: null, headers: [] })

export const tryNext = Effect.fnUntraced(function* (addresses: Addresses, dataDir: string) {
  const fs = yield* FileSystem.FileSystem
  const tapestry = yield* invocation
  const example = "examples/raw-tcp.mjs"
  const inCheckout = yield* Effect.orElseSucceed(fs.exists(example), () => false)
  const directory = `--data-dir ${quoted(dataDir)}`
  const series = "SPX --vendor sample --timeframe 1d"
  const lines: Array<string> = []
  if (addresses.http !== null) {
    const url = `http://${ListenAddress.format(addresses.http)}`
    lines.push(
      `curl -s ${url}/healthz`,
      `curl -s ${url}/rpc -H 'content-type: application/json' -d '${hello}'`,
      `curl -s ${url}/metrics`
    )
  }
  if (addresses.tcp !== null && inCheckout) {
    lines.push(`node ${example} ${ListenAddress.format(addresses.tcp)}`)
  }
  return [
    ...lines,
    `${tapestry} bars ${series} --from 2008-07-01 --to 2010-07-01 ${directory}`,
    `${tapestry} doctor ${directory}`
  ]
})
