import { Effect } from "effect"
import manifest from "../../../package.json" with { type: "json" }
import * as ListenAddress from "../../layers/config/ListenAddress.ts"
import { defaults } from "../../layers/config/TapestryConfig.ts"
import * as ProcessMetrics from "../../layers/metrics/ProcessMetrics.ts"
import { ownerSocket } from "../../layers/owner/ownerSocket.ts"
import { serve } from "../../rpc/server/Served.ts"
import { wrap } from "../format/wrap.ts"
import { Output, type OutputClosed, type OutputFailed } from "../terminal/Output.ts"
import { tryNext } from "./tryNext.ts"

/** Serves the demo's directory until it is interrupted, at the usual ports where they are free. */
export const serveDemo = Effect.fnUntraced(
  function* (
    dataDir: string,
    say: (...texts: ReadonlyArray<string>) => Effect.Effect<void, OutputClosed | OutputFailed>
  ) {
    const socket = yield* ownerSocket(dataDir)
    const { http, tcp } = defaults.serve
    const at = (ports: { readonly http: number; readonly tcp: number }) =>
      serve({
        product: manifest.version,
        http: { host: "127.0.0.1", port: ports.http, allowedHosts: [], allowedOrigins: [] },
        tcp: { host: "127.0.0.1", port: ports.tcp },
        socket
      })
    const addresses = yield* at({ http: http?.port ?? 0, tcp: tcp?.port ?? 0 }).pipe(
      // A server of one's own may be running.
      Effect.catchTag("ListenError", () => at({ http: 0, tcp: 0 }))
    )
    const { terminal } = yield* Output
    const width = terminal.isTerminal ? Math.min(terminal.columns, 90) : 90
    yield* say(
      ...wrap("Try it yourself. This process owns the directory and serves it; from another terminal:", width),
      "",
      ...(yield* tryNext(addresses, dataDir)).map((line) => `  ${line}`),
      "",
      ...(addresses.http === null
        ? []
        : wrap(`The API in a browser: http://${ListenAddress.format(addresses.http)}/docs`, width)),
      ...wrap("Ctrl-C ends it and removes the directory.", width)
    )
    return yield* Effect.never
  },
  Effect.scoped,
  Effect.provide(ProcessMetrics.layer)
)
