/** `tapestry serve`: where it listens, what it refuses, what it says, and what others see of it. */
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { hostPort, occupied, RawClient, serving, until, watched } from "./serving.ts"
import { json, ok, scratch, spx, tapestry } from "./tapestry.ts"

const july = ["--from", "2008-07-01", "--to", "2008-08-01"]

const fetchText = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init)
  return { status: response.status, text: await response.text() }
}

describe("the first line", () => {
  it("names every address once they can be asked, and is the only one; SIGTERM ends it with 0", async () => {
    const where = { cwd: scratch("serve-line") }
    const server = await serving(where)
    assert.match(server.http ?? "", /^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
    assert.match(server.tcp ?? "", /^127\.0\.0\.1:[1-9]\d*$/)
    assert.strictEqual(server.socket, join(where.cwd, ".tapestry", "owner.sock"))
    assert.deepStrictEqual(await fetchText(`${server.http}/healthz`).then(({ status }) => status), 200)
    for (const to of [hostPort(server.tcp), { path: server.socket }]) {
      const client = await RawClient.open(to)
      const exit = await client.call("System.hello")
      assert.strictEqual(exit._tag, "Success")
      assert.strictEqual(`tapestry ${exit.value.product}\n`, ok(where, "--version"))
      client.end()
    }
    server.child.kill("SIGTERM")
    const run = await server.end
    assert.deepStrictEqual([run.code, run.signal], [0, null], run.stderr)
    assert.strictEqual(run.stdout.split("\n").length, 2, run.stdout)
    assert.isFalse(existsSync(server.socket))
    assert.isFalse(existsSync(join(where.cwd, ".tapestry", "owner.json")))
  })

  it("is one readable line for people, and SIGINT ends it with 0, too", async () => {
    const server = watched({ cwd: scratch("serve-people") }, "serve", "--http", "127.0.0.1:0", "--tcp", "off")
    await until(() => server.stdout().includes("\n"), server.stderr)
    assert.match(
      server.stdout(),
      /^serving \.tapestry at http:\/\/127\.0\.0\.1:\d+, socket \S+\/owner\.sock \(process \d+\)\n$/
    )
    server.child.kill("SIGINT")
    assert.strictEqual((await server.end).code, 0)
  })

  it("may have a reader that goes away after it, or before: the server goes on, and its log has no trace", async () => {
    const after = await serving({ cwd: scratch("serve-head") })
    after.child.stdout?.destroy()
    const where = { cwd: scratch("serve-head-before") }
    const before = watched(where, "serve", "--http", "127.0.0.1:0", "--tcp", "off")
    before.child.stdout?.destroy()
    await until(() => before.stderr().includes('"ready"'), before.stderr)
    assert.include(before.stderr(), "the reader of standard output has gone away")
    for (const [server, path] of [
      [after, after.socket],
      [before, join(where.cwd, ".tapestry", "owner.sock")]
    ] as const) {
      const client = await RawClient.open({ path })
      assert.strictEqual((await client.call("System.hello"))._tag, "Success")
      client.end()
      server.child.kill("SIGTERM")
      const run = await server.end
      assert.strictEqual(run.code, 0)
      assert.notMatch(run.stderr, /\n? +at |"level":"error"/)
    }
  })

  it("over IPv6 has brackets", async () => {
    const server = await serving({ cwd: scratch("serve-ipv6") }, "--http", "[::1]:0", "--tcp", "off")
    assert.match(server.http ?? "", /^http:\/\/\[::1\]:\d+$/)
    assert.strictEqual((await fetchText(`${server.http}/healthz`)).status, 200)
    server.child.kill("SIGTERM")
    assert.strictEqual((await server.end).code, 0)
  })
})

describe("what is refused", () => {
  const where = { cwd: scratch("serve-refused") }
  const usage: ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp]> = [
    ["no address", ["--http", "foo"], /--http foo: expected HOST:PORT \(as 127\.0\.0\.1:7070/],
    ["no host", ["--tcp", ":70"], /--tcp :70: expected HOST:PORT/],
    ["no such port", ["--tcp", "1.2.3.4:99999"], /--tcp 1\.2\.3\.4:99999: expected HOST:PORT/],
    ["IPv6 without brackets", ["--http", "::1:7070"], /--http ::1:7070: expected/],
    ["empty", ["--http", ""], /--http : expected/],
    [
      "both off",
      ["--http", "off", "--tcp", "off"],
      /HTTP is off \(flag\) and so is TCP \(flag\): nothing is left to serve/
    ],
    [
      "not loopback",
      ["--http", "0.0.0.0:0", "--tcp", "off"],
      /0\.0\.0\.0:0 can be reached from other machines.*--insecure/
    ],
    ["a name", ["--http", "off", "--tcp", "example.com:0"], /example\.com:0 can be reached from other machines/]
  ]
  for (const [name, args, message] of usage) {
    it(`${name} is wrong usage`, () => {
      const run = tapestry(where, "serve", ...args)
      assert.strictEqual(run.code, 2, run.stderr)
      assert.strictEqual(run.stdout, "")
      assert.match(run.stderr, message)
    })
  }

  it("a variable of the environment that is no address names itself", () => {
    const run = tapestry({ ...where, env: { TAPESTRY_TCP: "7000" } }, "serve", "--http", "127.0.0.1:0")
    assert.strictEqual(run.code, 2)
    assert.match(run.stderr, /TAPESTRY_TCP=7000: expected HOST:PORT/)
  })

  it("a port in use is an error that names the address, and nothing stays behind", async () => {
    const { port } = await occupied()
    for (const args of [
      ["--tcp", `127.0.0.1:${port}`, "--http", "off"],
      ["--http", `127.0.0.1:${port}`, "--tcp", "off"]
    ]) {
      const run = tapestry(where, "serve", ...args)
      assert.strictEqual(run.code, 1, run.stderr)
      assert.strictEqual(run.stdout, "")
      assert.match(
        run.stderr,
        new RegExp(`error: cannot listen on 127\\.0\\.0\\.1:${port}: another process listens there`)
      )
      assert.isFalse(existsSync(join(where.cwd, ".tapestry", "owner.sock")))
    }
  })

  it("a directory that another serves is an error that says who", async () => {
    const directory = { cwd: scratch("serve-twice") }
    const first = await serving(directory)
    const run = tapestry(directory, "serve", "--http", "127.0.0.1:0", "--tcp", "off")
    assert.strictEqual(run.code, 1)
    assert.match(run.stderr, new RegExp(`in use by process ${first.child.pid}`))
    assert.match(ok(directory, "doctor"), new RegExp(`ok +owner +process ${first.child.pid} .*owner\\.sock`))
    first.child.kill("SIGTERM")
    await first.end
    assert.match(ok(directory, "doctor"), /ok +owner +none/)
  })
})

describe("--insecure", () => {
  it("serves an address that others can reach, and says what that means", async () => {
    const server = await serving(
      { cwd: scratch("serve-insecure") },
      "--http",
      "0.0.0.0:0",
      "--tcp",
      "off",
      "--insecure"
    )
    const { port } = hostPort(server.http)
    assert.strictEqual((await fetchText(`http://127.0.0.1:${port}/healthz`)).status, 200)
    assert.match(server.stderr(), /"level":"warn".*0\.0\.0\.0:0 can be reached from other machines: whoever reaches it/)
    server.child.kill("SIGTERM")
    await server.end
  })
})

describe("settings", () => {
  const where = { cwd: scratch("serve-settings") }
  writeFileSync(
    join(where.cwd, "tapestry.yaml"),
    "serve:\n  http: 127.0.0.1:7171\n  tcp: off\n  allowedHosts: [tape.example]\n"
  )
  const of = (values: ReadonlyArray<{ key: string; value: unknown; origin: string }>, key: string) =>
    values.find((one) => one.key === key)

  it("come from the flag, else the environment, else the file, else the default; config shows which", async () => {
    const { values } = json({ ...where, env: { TAPESTRY_HTTP: "localhost:1234" } }, 0, "config")
    assert.deepStrictEqual(of(values, "serve.http"), {
      key: "serve.http",
      value: "localhost:1234",
      origin: "environment"
    })
    assert.deepStrictEqual(of(values, "serve.tcp"), { key: "serve.tcp", value: "off", origin: "file" })
    assert.deepStrictEqual(of(values, "serve.allowedHosts"), {
      key: "serve.allowedHosts",
      value: ["tape.example"],
      origin: "file"
    })
    assert.deepStrictEqual(of(values, "serve.allowedOrigins"), {
      key: "serve.allowedOrigins",
      value: [],
      origin: "default"
    })
    const server = await serving(
      { ...where, env: { TAPESTRY_HTTP: "off" } },
      "--http",
      "127.0.0.1:0",
      "--tcp",
      "127.0.0.1:0"
    )
    assert.isNotNull(server.http)
    assert.isNotNull(server.tcp)
    const { port } = hostPort(server.http)
    const allowed = await fetchText(`http://127.0.0.1:${port}/healthz`)
    assert.strictEqual(allowed.status, 200)
    server.child.kill("SIGTERM")
    await server.end
  })

  it("of clients of feeds come from the environment, else the file, else the default; a wrong one is named", async () => {
    const cwd = scratch("serve-feeds")
    writeFileSync(
      join(cwd, "tapestry.yaml"),
      "serve: { wsMaxQueueSize: 5, wsHeartbeatInterval: 4s }\nvendors: { sim: { adapter: simulated, symbols: [ALPHA] } }\n"
    )
    const env = { WS_MAX_MESSAGES_PER_SECOND: "25", WS_HEARTBEAT_INTERVAL: "3" }
    const { values } = json({ cwd, env }, 0, "config")
    for (const [key, value, origin] of [
      ["wsMaxQueueSize", 5, "file"],
      ["wsMaxMessagesPerSecond", 25, "environment"],
      ["wsHeartbeatInterval", 3_000, "environment"]
    ] as const) {
      assert.deepStrictEqual(of(values, `serve.${key}`), { key: `serve.${key}`, value, origin })
    }
    for (const [name, wrong] of [
      ["WS_MAX_QUEUE_SIZE", "0"],
      ["WS_MAX_MESSAGES_PER_SECOND", "many"],
      ["WS_HEARTBEAT_INTERVAL", "0.5"]
    ] as const) {
      const run = tapestry({ cwd, env: { [name]: wrong } }, "config")
      assert.strictEqual(run.code, 2)
      assert.include(run.stderr, `${name}=${wrong}: expected`)
    }
    const server = await serving({ cwd, env }, "--http", "127.0.0.1:0", "--tcp", "off")
    const { port } = hostPort(server.http)
    const greeting = await new Promise<string>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/quotes/ALPHA`)
      socket.addEventListener("message", ({ data }) => {
        socket.close()
        resolve(String(data))
      })
    })
    const { heartbeat_seconds, max_messages_per_second, max_queue_size } = JSON.parse(greeting)
    assert.deepStrictEqual([max_queue_size, max_messages_per_second, heartbeat_seconds], [5, 25, 3])
    server.child.kill("SIGTERM")
    await server.end
  })

  it("of a file that are wrong are told with their line", () => {
    const directory = { cwd: scratch("serve-settings-wrong") }
    writeFileSync(join(directory.cwd, "tapestry.yaml"), "serve:\n  http: 7070\n  tpc: off\n")
    const run = tapestry(directory, "config")
    assert.strictEqual(run.code, 1)
    assert.match(run.stderr, /line 2: serve\.http: expected HOST:PORT .* found 7070/)
    assert.match(run.stderr, /line 3: serve\.tpc: .* did you mean tcp\?/)
  })
})

describe("what can be seen of it", () => {
  it("the log is JSON lines; a call's lines carry its id and procedure; metrics count it, with bounded labels", async () => {
    const where = { cwd: scratch("serve-seen") }
    const server = await serving(where, "--log-level", "debug")
    const client = await RawClient.open(hostPort(server.tcp))
    const series = await client.call("Series.resolve", {
      vendor: "sample",
      query: { symbol: "SPX", kind: "bar", timeframe: "1d" }
    })
    assert.strictEqual(series._tag, "Success", JSON.stringify(series))
    const range = { start: Date.UTC(2008, 6, 1), end: Date.UTC(2008, 7, 1) }
    const bars = client.send("Series.bars", { series: series.value, range })
    assert.strictEqual((await client.exitOf(bars))._tag, "Success")
    client.send(`Series.${"x".repeat(50)}`)
    const { text } = await fetchText(`${server.http}/metrics`)
    const value = (name: string) => Number(new RegExp(`^${name.replace(/[{}"]/g, "\\$&")} (.*)$`, "m").exec(text)?.[1])
    assert.strictEqual(value('tapestry_calls_total{procedure="Series.bars",outcome="ok"}'), 1)
    assert.strictEqual(value('tapestry_call_seconds_count{procedure="Series.bars"}'), 1)
    assert.strictEqual(value("tapestry_rows_sent_total"), 22)
    assert.strictEqual(value("tapestry_rows_committed_total"), 22)
    assert.strictEqual(value("tapestry_archive_misses_total"), 1)
    assert.strictEqual(value('tapestry_vendor_requests_total{vendor="sample",status="ok"}'), 1)
    assert.strictEqual(value('tapestry_quota_wait_seconds_count{account="sample"}'), 1)
    assert.isAbove(value("tapestry_archive_bytes_total"), 100_000)
    assert.strictEqual(value("tapestry_streams_open"), 0)
    assert.strictEqual(value('tapestry_connections_open{transport="tcp"}'), 1)
    assert.isAbove(value("process_resident_memory_bytes"), 20_000_000)
    assert.isAbove(value("tapestry_uptime_seconds"), 0)
    assert.isAtLeast(value("tapestry_event_loop_delay_seconds"), 0)
    assert.strictEqual(value("store_up"), 1)
    assert.notInclude(text, "xxxx")
    client.end()
    server.child.kill("SIGTERM")
    const { stderr } = await server.end
    const lines = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    for (const line of lines) {
      assert.match(line.time, /^\d{4}-\d\d-\d\dT/)
      assert.match(line.level, /^(debug|info)$/)
    }
    assert.strictEqual(lines.find(({ message }) => message === "ready")?.http, server.http)
    const call = lines.find(({ message, procedure }) => message === "tapestry.call" && procedure === "Series.bars")
    assert.strictEqual(call?.outcome, "ok")
    assert.strictEqual(call?.rows, 22)
    assert.isString(call?.call)
    const own = lines.filter((line) => line.call === call?.call)
    assert.isTrue(own.every(({ procedure }) => procedure === "Series.bars"))
  })

  it("a log whose reader has gone does not end it", async () => {
    const server = await serving({ cwd: scratch("serve-log") }, "--log-level", "debug")
    server.child.stderr?.destroy()
    const client = await RawClient.open(hostPort(server.tcp))
    for (let i = 0; i < 20; i++) assert.strictEqual((await client.call("System.hello"))._tag, "Success")
    client.end()
    server.child.kill("SIGTERM")
    assert.strictEqual((await server.end).code, 0)
  })

  it("commands that only read work beside it", async () => {
    const where = { cwd: scratch("serve-beside") }
    ok(where, "bars", ...spx, ...july)
    const server = await serving(where)
    assert.strictEqual(json(where, 0, "coverage", ...spx, ...july).coverage[0].status, "Covered")
    server.child.kill("SIGTERM")
    await server.end
  })
})
