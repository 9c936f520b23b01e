/** `tapestry record` as the built command line has it: to its end, until a signal, and killed. */
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { assert, describe, it } from "vitest"
import { serving, until, watched } from "./serving.ts"
import { json, ok, scratch, tapestry, type Where } from "./tapestry.ts"

const simulated = (name: string): Where => {
  const where = { cwd: scratch(name) }
  writeFileSync(
    join(where.cwd, "tapestry.yaml"),
    "dataDir: data\nvendors:\n  sim:\n    adapter: simulated\n    rate: 20\n"
  )
  return where
}

// biome-ignore lint/suspicious/noExplicitAny: documents of the command, looked at by the tests
const linesOf = (text: string): ReadonlyArray<any> =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))

const rowsOf = (where: Where, kind: string) =>
  linesOf(ok(where, "dump", kind, "-", "--vendor", "sim", "--format", "ndjson"))

const removeStore = ({ cwd }: Where) => {
  for (const end of ["", "-wal", "-shm"]) rmSync(join(cwd, "data", `market.sqlite${end}`), { force: true })
}

describe("tapestry record", () => {
  it("SIGTERM ends it with 0 after storing what it has; a lost store is rebuilt from the segments", async () => {
    const where = simulated("record-signal")
    const recording = watched(where, "record", "--symbols", "ALPHA,BETA", "--kinds", "trades,quotes", "--json")
    const rows = () =>
      linesOf(recording.stdout())
        .filter(({ event }) => event === "Progress")
        .at(-1)
        ?.kinds.reduce((sum: number, kind: { rows: number }) => sum + kind.rows, 0) ?? 0
    await until(() => rows() > 50, recording.stderr)
    recording.child.kill("SIGTERM")
    const { code, stderr, stdout } = await recording.end
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(stderr, "")
    const told = linesOf(stdout)
    assert.strictEqual(told[0].event, "Began")
    assert.deepStrictEqual(
      told[0].streams.map(({ kind, symbol }: { kind: string; symbol: string }) => `${kind} ${symbol}`),
      ["trades ALPHA", "trades BETA", "quotes ALPHA", "quotes BETA"]
    )
    const ended = told.at(-1)
    assert.deepInclude(ended, { event: "Ended", session: told[0].session, unstored: [] })
    const trades = rowsOf(where, "trades")
    const recorded = ended.kinds.find(({ kind }: { kind: string }) => kind === "trades")
    assert.strictEqual(trades.length, recorded.rows)
    const { sessions } = json(where, 0, "archive", "sessions")
    assert.deepInclude(
      sessions.find(({ id }: { id: number }) => id === ended.session),
      { source: "sim", mode: "stream", outcome: "ok" }
    )
    const quotes = rowsOf(where, "quotes")
    assert.deepStrictEqual(json(where, 0, "rebuild", "--check").imported.problems, [])
    removeStore(where)
    assert.deepInclude(json(where, 0, "rebuild").imported, { problems: [] })
    assert.deepStrictEqual([rowsOf(where, "trades"), rowsOf(where, "quotes")], [trades, quotes])

    const [first] = trades
    const { rows: explained } = json(
      where,
      0,
      "explain",
      first.symbol,
      "--vendor",
      "sim",
      "--kind",
      "trades",
      "--at",
      first.ts
    )
    assert.deepInclude(explained[0].row, { ts: first.ts, price: first.price, sequence: first.sequence })
    assert.deepInclude(explained[0].request, { kind: "stream.segment", session: ended.session })
    assert.deepInclude(JSON.parse(explained[0].excerpt.text).row, { price: first.price, sequence: first.sequence })
    assert.isAtLeast(Date.parse(explained[0].receivedAt), Date.parse(first.ts))
    const text = ok(where, "explain", first.symbol, "--vendor", "sim", "--kind", "trades", "--at", first.ts)
    assert.match(text, /came from line \d+ of segment \d+ of session \d+/)
    assert.match(text, / {2}received {2}20/)
    const none = tapestry(where, "explain", "ALPHA", "--vendor", "sim", "--kind", "quotes", "--at", "2020-01-01")
    assert.deepStrictEqual([none.code, none.stdout], [1, ""])
    assert.match(none.stderr, /no row of ALPHA quote at 2020-01-01T00:00:00/)
    assert.strictEqual(tapestry(where, "explain", "ALPHA", "--vendor", "sim", "--at", "2020-01-01").code, 2)

    // What is exported of it is decoded again from its segments.
    ok(where, "export", "ALPHA", "--kind", "trades", "--vendor", "sim", "--out", "exported")
    const verified = tapestry(where, "export", "verify", "exported")
    assert.strictEqual(verified.code, 0, verified.stdout)
    const alphaTrades = trades.filter(({ symbol }) => symbol === "ALPHA").length
    assert.include(verified.stdout, `${alphaTrades} rows decoded again from their bytes`)

    // Of some series alone.
    removeStore(where)
    const alpha = json(where, 0, "rebuild", "--vendor", "sim", "--symbol", "ALPHA")
    const alphas = (rows: ReadonlyArray<{ symbol: string }>) => rows.filter(({ symbol }) => symbol === "ALPHA")
    assert.deepStrictEqual([rowsOf(where, "trades"), rowsOf(where, "quotes")], [alphas(trades), alphas(quotes)])
    assert.strictEqual(alpha.imported.inserted, alphas(trades).length + alphas(quotes).length)
    assert.deepInclude(json(where, 0, "rebuild", "--vendor", "nobody").imported, { segments: 0, rows: 0, inserted: 0 })
    json(where, 0, "rebuild", "--vendor", "sim")
    assert.deepStrictEqual([rowsOf(where, "trades"), rowsOf(where, "quotes")], [trades, quotes])

    // A row that is not what the segment says is found.
    const { sequence } = trades.find(({ symbol }) => symbol === "ALPHA")
    const db = new Database(join(where.cwd, "data", "market.sqlite"))
    db.prepare("update trades set price = price + 1 where sequence = ?").run(sequence)
    db.close()
    const { imported } = json(where, 3, "rebuild", "--check", "--vendor", "sim", "--symbol", "ALPHA")
    assert.strictEqual(
      imported.compared.reduce((sum: number, { rows }: { rows: number }) => sum + rows, 0),
      1
    )
  })

  it("--for ends it with 0, and says what came to be", () => {
    const where = simulated("record-for")
    const run = tapestry(where, "record", "--symbols", "ALPHA", "--for", "2s")
    assert.strictEqual(run.code, 0, run.stderr)
    assert.match(run.stdout, /^session \d+: trades \d+ rows?; \d+ segments? of .*B in the archive\n$/)
    assert.match(run.stderr, /recording 1 stream as session \d+; Ctrl-C ends it/)
  })

  it("killed: what was lost is told by the next recording, and a job is there that has it stored", async () => {
    const where = simulated("record-killed")
    const killed = watched(where, "record", "--symbols", "ALPHA", "--json")
    await until(() => linesOf(killed.stdout()).filter(({ event }) => event === "Progress").length > 2, killed.stderr)
    killed.child.kill("SIGKILL")
    await killed.end
    const [began] = linesOf(killed.stdout())
    const next = linesOf(ok(where, "record", "--symbols", "ALPHA", "--for", "2s", "--json"))
    const lost = next.filter(({ event }) => event === "Unrepairable")
    assert.strictEqual(lost.length, 1)
    assert.match(lost[0].why, new RegExp(`session ${began.session}\\) broke off`))
    assert.isBelow(Date.parse(lost[0].from), Date.parse(lost[0].to))
    const { jobs } = json(where, 0, "jobs", "list")
    assert.deepStrictEqual(
      jobs.map(({ job }: { job: { key: string; type: string } }) => ({ key: job.key, type: job.type })),
      [{ key: lost[0].job, type: "stream-repair" }]
    )
    // One that was ended in order has lost nothing.
    const third = linesOf(ok(where, "record", "--symbols", "ALPHA", "--for", "1s", "--json"))
    assert.deepStrictEqual(
      third.filter(({ event }) => event === "Unrepairable"),
      []
    )
  })

  it("replay tells it again: every row in order, at any speed, and to other commands as a vendor", () => {
    const where = simulated("record-replay")
    const [began] = linesOf(ok(where, "record", "--symbols", "ALPHA,BETA", "--for", "3s", "--json"))
    const stored = rowsOf(where, "trades").filter(({ symbol }) => symbol === "ALPHA")
    assert.isAbove(stored.length, 5)
    const sequences = (text: string) =>
      linesOf(text)
        .filter(({ event, snapshot, symbol }) => event === "Trades" && symbol === "ALPHA" && snapshot !== true)
        .map(({ sequence }) => sequence)
    const expected = stored.map(({ sequence }) => sequence)
    for (const speed of ["max", "10", "3x"]) {
      assert.deepStrictEqual(sequences(ok(where, "replay", `${began.session}`, "--speed", speed)), expected)
    }
    const betas = linesOf(ok(where, "replay", `${began.session}`, "--speed", "max", "--symbols", "BETA"))
    assert.deepStrictEqual([...new Set(betas.map(({ symbol }) => symbol))], ["BETA"])
    const config = join(where.cwd, "again.yaml")
    writeFileSync(
      config,
      `dataDir: data\nvendors:\n  again:\n    adapter: replay\n    session: ${began.session}\n    speed: 10\n`
    )
    const again = ok(where, "trades", "alpha", "--config", config, "--count", `${expected.length}`)
    assert.deepStrictEqual(sequences(again), expected)
    const ended = tapestry(where, "trades", "ALPHA", "--config", config)
    assert.strictEqual(ended.code, 1)
    assert.match(ended.stdout, /the recording \(session \d+\) ends here/)
    for (const [words, what] of [
      [["replay", "999"], /no session 999/],
      [["replay", `${began.session}`, "--speed", "fast"], /--speed fast: expected a number/],
      [["replay", `${began.session}`, "--symbols", "NOBODY"], /--symbols NOBODY: the session has ALPHA, BETA/],
      [["trades", "GAMMA", "--config", config], /session \d+ has no trades of GAMMA; it has trades ALPHA, trades BETA/]
    ] as const) {
      const run = tapestry(where, ...words)
      assert.notStrictEqual(run.code, 0)
      assert.match(run.stderr, what)
    }
  })

  it("what cannot be meant is said", async () => {
    const where = simulated("record-mistakes")
    const code = (...args: ReadonlyArray<string>) => tapestry(where, "record", ...args)
    assert.strictEqual(code("--symbols", "ALPHA", "--kinds", "ticks").code, 2)
    assert.strictEqual(code("--symbols", ",").code, 2)
    assert.strictEqual(code("--symbols", "ALPHA", "--for", "soon").code, 2)
    const nobody = code("--symbols", "NOBODY")
    assert.strictEqual(nobody.code, 1)
    assert.match(nobody.stderr, /no symbol NOBODY/)
    assert.strictEqual(code("--symbols", "ALPHA", "--timeframes", "1m").code, 2)
    assert.strictEqual(code("--symbols", "ALPHA", "--kinds", "bars", "--timeframes", "1w").code, 1)
  })

  it("beside a server: the same to its end, ended by it when the command is gone, and gone on with when the server is", async () => {
    const where = simulated("record-beside")
    const server = await serving(where)
    const progress = ({ stdout }: { stdout: () => string }) =>
      linesOf(stdout()).filter(({ event, kinds }) => event === "Progress" && kinds[0]?.rows > 0).length
    const outcomes = () =>
      new Map<number, string>(
        json(where, 0, "archive", "sessions")
          .sessions.filter(({ mode }: { mode: string }) => mode === "stream")
          .map(({ id, outcome }: { id: number; outcome: string }) => [id, outcome])
      )

    const timed = linesOf(ok(where, "record", "--symbols", "ALPHA", "--for", "2s", "--json"))
    assert.deepStrictEqual([timed[0].event, timed.at(-1).event], ["Began", "Ended"])
    assert.deepStrictEqual(timed.at(-1).unstored, [])
    assert.strictEqual(rowsOf(where, "trades").length, timed.at(-1).kinds[0].rows)

    const signalled = watched(where, "record", "--symbols", "ALPHA", "--json")
    await until(() => progress(signalled) > 0, signalled.stderr)
    signalled.child.kill("SIGINT")
    const { code, stderr, stdout } = await signalled.end
    assert.strictEqual(code, 0, stderr)
    assert.deepInclude(linesOf(stdout).at(-1), { event: "Ended", unstored: [] })

    const killed = watched(where, "record", "--symbols", "ALPHA", "--json")
    await until(() => progress(killed) > 0, killed.stderr)
    const [{ session: abandoned }] = linesOf(killed.stdout())
    killed.child.kill("SIGKILL")
    await killed.end
    await until(
      () => outcomes().get(abandoned) === "ok",
      () => JSON.stringify([...outcomes()])
    )

    const lasting = watched(where, "record", "--symbols", "ALPHA", "--json")
    await until(() => progress(lasting) > 0, lasting.stderr)
    const [{ session: first }] = linesOf(lasting.stdout())
    server.child.kill("SIGTERM")
    assert.strictEqual((await server.end).code, 0)
    const begun = () => linesOf(lasting.stdout()).filter(({ event }) => event === "Began")
    await until(() => begun().length === 2, lasting.stderr)
    assert.match(lasting.stderr(), /another recording begins/)
    assert.strictEqual(outcomes().get(first), "ok")
    lasting.child.kill("SIGTERM")
    const ended = await lasting.end
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.deepInclude(linesOf(ended.stdout).at(-1), { event: "Ended", session: begun()[1].session, unstored: [] })

    const again = await serving(where)
    const outliving = watched(where, "record", "--symbols", "ALPHA", "--json")
    await until(() => progress(outliving) > 0, outliving.stderr)
    again.child.kill("SIGKILL")
    await again.end
    // The place is left to a server that is started anew, which goes on with the recording.
    const refused = await serving(where)
    await until(
      () => linesOf(outliving.stdout()).filter(({ event }) => event === "Began").length === 2,
      outliving.stderr
    )
    outliving.child.kill("SIGTERM")
    assert.strictEqual((await outliving.end).code, 0)
    const nobody = tapestry(where, "record", "--symbols", "NOBODY")
    assert.strictEqual(nobody.code, 1)
    assert.match(nobody.stderr, /no symbol NOBODY/)
    refused.child.kill("SIGTERM")
    await refused.end
  })
})
