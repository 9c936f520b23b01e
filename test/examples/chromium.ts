/** Headless Chromium, spoken to by the DevTools protocol: its own virtual time would run past the timeouts of a real connection. */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Schedule, Schema, type Scope } from "effect"
import { kill } from "../rpc/client/support.ts"

const onPath = spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim()

/** Its program, or an empty text where there is none. */
export const chromium = existsSync("/usr/bin/chromium") ? "/usr/bin/chromium" : onPath

const Pages = Schema.Array(Schema.Struct({ type: Schema.String, webSocketDebuggerUrl: Schema.String }))
const Evaluated = Schema.fromJsonString(
  Schema.Struct({ id: Schema.Int, result: Schema.Struct({ result: Schema.Struct({ value: Schema.String }) }) })
)
const Captured = Schema.fromJsonString(
  Schema.Struct({ id: Schema.Int, result: Schema.Struct({ data: Schema.String }) })
)

export interface Page {
  /** The page as HTML, when the script's status line is no longer the first one. */
  readonly html: Effect.Effect<string, unknown>
  readonly screenshot: Effect.Effect<Buffer, unknown>
}

const untilThere = Schedule.max([Schedule.spaced("100 millis"), Schedule.recurs(100)])

/** Opens a page in a browser of its own, with a profile in `profile`, until the scope closes. */
export const open = (url: string, profile: string): Effect.Effect<Page, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const flags = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--user-data-dir=${profile}`,
      "--remote-debugging-port=0",
      "--window-size=1000,760"
    ]
    yield* Effect.acquireRelease(
      Effect.sync(() => spawn(chromium, [...flags, url], { stdio: "ignore" })),
      kill
    )
    const port = yield* Effect.try(() => readFileSync(join(profile, "DevToolsActivePort"), "utf8").split("\n")[0]).pipe(
      Effect.retry(untilThere)
    )
    const address = yield* Effect.gen(function* () {
      const listed = yield* Effect.tryPromise(async () => (await fetch(`http://127.0.0.1:${port}/json/list`)).json())
      const pages = yield* Schema.decodeUnknownEffect(Pages)(listed)
      const found = pages.find(({ type }) => type === "page")
      return found === undefined ? yield* Effect.fail("no page yet") : found.webSocketDebuggerUrl
    }).pipe(Effect.retry(untilThere))
    const socket = yield* Effect.acquireRelease(
      Effect.callback<WebSocket>((resume) => {
        const opened = new WebSocket(address)
        opened.addEventListener("open", () => resume(Effect.succeed(opened)), { once: true })
      }),
      (opened) => Effect.sync(() => opened.close())
    )
    const ask = (method: string, params: object) =>
      Effect.callback<string>((resume) => {
        socket.addEventListener("message", ({ data }) => resume(Effect.succeed(String(data))), { once: true })
        socket.send(JSON.stringify({ id: 1, method, params }))
      })
    const evaluate = (expression: string) =>
      Effect.flatMap(ask("Runtime.evaluate", { expression }), Schema.decodeUnknownEffect(Evaluated)).pipe(
        Effect.map(({ result }) => result.result.value)
      )
    return {
      html: evaluate("String(document.getElementById('status')?.textContent ?? 'connecting')").pipe(
        Effect.flatMap((status) => (status === "connecting" ? Effect.fail("not yet") : Effect.void)),
        Effect.retry(untilThere),
        Effect.andThen(evaluate("document.documentElement.outerHTML"))
      ),
      screenshot: Effect.flatMap(
        ask("Page.captureScreenshot", { format: "png" }),
        Schema.decodeUnknownEffect(Captured)
      ).pipe(Effect.map(({ result }) => Buffer.from(result.data, "base64")))
    }
  })
