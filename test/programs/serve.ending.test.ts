/** How `tapestry serve` goes down: what becomes of calls under way, of the directory, and of those who come too late. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as OwnerLock from "../../src/layers/owner/OwnerLock.ts"
import { hostPort, RawClient, serving, until, watched } from "./serving.ts"
import { json, minuteFile, scratch, spx } from "./tapestry.ts"

/** Files of a vendor that lets one request through in `span` ms: in half a second, a read of four takes a second and a half. */
const paced = (name: string, span = 500) => {
  const where = { cwd: scratch(name) }
  mkdirSync(join(where.cwd, "paced"))
  for (const day of ["01", "02", "03", "04"]) {
    writeFileSync(
      join(where.cwd, "paced", `SLOW-202402${day}.csv`),
      `ts,open,high,low,close,volume\n2024-02-${day}T15:00:00Z,1,2,1,2,10\n`
    )
  }
  writeFileSync(join(where.cwd, "big.csv"), minuteFile(100_000))
  writeFileSync(
    join(where.cwd, "tapestry.yaml"),
    [
      "vendors:",
      "  paced:",
      "    adapter: file",
      "    root: paced",
      '    path: "{SYMBOL}-{yyyyMMdd}.csv"',
      "    timestamp: iso",
      "    timeframe: 1m",
      `    quota: { windows: [{ name: slow, limit: 1, span: ${span}, key: null }] }`,
      "  big:",
      "    adapter: file",
      "    root: .",
      '    path: "{symbol}.csv"',
      "    timestamp: iso",
      "    timeframe: 1m",
      ""
    ].join("\n")
  )
  return where
}

const slowRange = { start: Date.UTC(2024, 1, 1), end: Date.UTC(2024, 1, 5) }
const bigRange = { start: Date.UTC(2015, 0, 1), end: Date.UTC(2015, 2, 1) }

const seriesOf = async (client: RawClient, vendor: string, symbol: string) => {
  const exit = await client.call("Series.resolve", { vendor, query: { symbol, kind: "bar", timeframe: "1m" } })
  assert.strictEqual(exit._tag, "Success", JSON.stringify(exit))
  return exit.value
}

const tagOf = (exit: { readonly cause?: ReadonlyArray<{ readonly error?: { readonly _tag?: string } }> } | undefined) =>
  exit?.cause?.[0]?.error?._tag

describe("SIGTERM", () => {
  it("lets a call under way finish, cuts a stream of rows, refuses what comes then, and says 503 meanwhile", async () => {
    const where = paced("ending-drain")
    const server = await serving(where)
    const client = await RawClient.open(hostPort(server.tcp))
    const big = await seriesOf(client, "big", "BIG")
    const slow = await seriesOf(client, "paced", "SLOW")
    const idle = await RawClient.open(hostPort(server.tcp))
    // Not acknowledged: the server waits with the second chunk.
    const unread = client.send("Series.bars", { series: big, range: bigRange })
    await until(() => client.of(unread).length > 0)
    const reading = client.send("Series.read", { series: slow, range: slowRange })
    await until(() => existsSync(join(where.cwd, ".tapestry", "owner.json")))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const began = performance.now()
    server.child.kill("SIGTERM")
    await until(async () => (await fetch(`${server.http}/readyz`)).status === 503)
    assert.strictEqual(tagOf(await client.exitOf(unread)), "ShuttingDown")
    assert.strictEqual(tagOf(await idle.call("System.hello")), "ShuttingDown")
    const exit = await client.exitOf(reading)
    assert.strictEqual(exit?._tag, "Success", JSON.stringify(client.messages.slice(-3)))
    const run = await server.end
    assert.strictEqual(run.code, 0, run.stderr)
    assert.isBelow(performance.now() - began, 10_000)
    const { coverage } = json(
      where,
      0,
      "coverage",
      "SLOW",
      "--vendor",
      "paced",
      "--timeframe",
      "1m",
      "--from",
      "2024-02-01",
      "--to",
      "2024-02-05"
    )
    assert.isTrue(coverage.every(({ status }: { status: string }) => status !== "Missing"))
  })

  it("waits ten seconds for a call that does not end, then ends it with ShuttingDown, and itself with 0", async () => {
    const server = await serving(paced("ending-stuck", 60_000))
    const client = await RawClient.open({ path: server.socket })
    const slow = await seriesOf(client, "paced", "SLOW")
    const reading = client.send("Series.read", { series: slow, range: slowRange })
    await new Promise((resolve) => setTimeout(resolve, 200))
    const began = performance.now()
    server.child.kill("SIGTERM")
    const run = await server.end
    const took = performance.now() - began
    assert.strictEqual(run.code, 0, run.stderr)
    assert.isAbove(took, 9_000)
    assert.isBelow(took, 11_500)
    assert.strictEqual(tagOf(await client.exitOf(reading)), "ShuttingDown")
  })

  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130]
  ] as const) {
    it(`a second ${signal} ends it at once with ${code}`, async () => {
      const server = await serving(paced(`ending-second-${signal}`))
      const client = await RawClient.open(hostPort(server.tcp))
      const slow = await seriesOf(client, "paced", "SLOW")
      client.send("Series.read", { series: slow, range: slowRange })
      await new Promise((resolve) => setTimeout(resolve, 100))
      server.child.kill(signal)
      await until(async () => (await fetch(`${server.http}/readyz`)).status === 503)
      const began = performance.now()
      server.child.kill(signal)
      assert.strictEqual((await server.end).code, code)
      assert.isBelow(performance.now() - began, 500)
    })
  }
})

describe("SIGTERM before it serves", () => {
  it("ends it with 0 also while it still loads what it serves with", async () => {
    const where = { cwd: scratch("ending-early") }
    // That part tells the process to stop, and then takes a while to come.
    const hook = join(where.cwd, "hook.mjs")
    writeFileSync(
      hook,
      `import { registerHooks } from "node:module"
const first = 'process.kill(process.pid, "SIGTERM"); await new Promise((resume) => setTimeout(resume, 5_000));'
registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context)
    return /cli-serving\\.mjs$/.test(url) ? { ...loaded, source: first + loaded.source } : loaded
  }
})
`
    )
    const env = { NODE_OPTIONS: `--import=${hook}` }
    const run = await watched({ ...where, env }, "serve", "--http", "127.0.0.1:0", "--tcp", "off", "--json").end
    assert.deepStrictEqual([run.code, run.signal, run.stdout], [0, null, ""])
  })
})

describe("an owner of the directory that is about to end", () => {
  const owned = (where: { readonly cwd: string }, millis: number) => {
    const dataDir = join(where.cwd, ".tapestry")
    mkdirSync(dataDir)
    return Effect.sleep(millis).pipe(
      Effect.provide(OwnerLock.layer({ dataDir, product: "test" })),
      Effect.provide(NodeServices.layer),
      Effect.runPromise
    )
  }

  it("is waited for", async () => {
    const where = { cwd: scratch("ending-waited") }
    // Long enough for the server to have met it, and not longer than it waits.
    const other = owned(where, 900)
    const server = await serving(where)
    await other
    assert.strictEqual(JSON.parse(server.stdout()).pid, server.child.pid)
  })

  it("is not waited for longer than a second when it stays, and is named", async () => {
    const where = { cwd: scratch("ending-stays") }
    const other = owned(where, 6_000)
    const began = performance.now()
    const run = await watched(where, "serve", "--http", "127.0.0.1:0", "--tcp", "off", "--json").end
    assert.isAtLeast(performance.now() - began, 1_000)
    assert.isBelow(performance.now() - began, 5_000)
    assert.strictEqual(run.code, 1)
    assert.deepInclude(JSON.parse(run.stdout).error, { _tag: "OwnerError", reason: "OwnedElsewhere" })
    assert.include(run.stderr, `process ${process.pid}`)
    await other
  })
})

describe("SIGKILL", () => {
  it("leaves nothing that stops the next start, and what was archived is not fetched again", async () => {
    const where = { cwd: scratch("ending-killed") }
    const first = await serving(where)
    const client = await RawClient.open({ path: first.socket })
    const series = await client.call("Series.resolve", {
      vendor: "sample",
      query: { symbol: "SPX", kind: "bar", timeframe: "1d" }
    })
    const range = { start: Date.UTC(2008, 6, 1), end: Date.UTC(2008, 7, 1) }
    await client.call("Series.bars", { series: series.value, range })
    first.child.kill("SIGKILL")
    await first.end
    assert.isTrue(existsSync(first.socket), "a killed process removes nothing")
    const second = await serving(where)
    assert.strictEqual(second.socket, first.socket)
    const again = await RawClient.open({ path: second.socket })
    assert.strictEqual((await again.call("System.hello"))._tag, "Success")
    again.end()
    second.child.kill("SIGTERM")
    assert.strictEqual((await second.end).code, 0)
    const answer = json(where, 0, "bars", ...spx, "--from", "2008-07-01", "--to", "2008-08-01")
    assert.deepStrictEqual([answer.rowCount, answer.requests], [22, 0])
  })
})
