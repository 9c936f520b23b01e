/** Bars of a gateway by the command line: asked for once, archived as they came, told from where, made again from the archive. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { answerTime, scripted, type Talk } from "../layers/adapters/ibkr/scriptedGateway.ts"
import { ended, scratch, start, type Where } from "./tapestry.ts"

const ran = (where: Where, ...args: ReadonlyArray<string>) => Effect.promise(() => ended(start(where, ...args)))

const minute = 60_000
const open = Date.parse("2026-04-09T13:30:00Z")
const close = Date.parse("2026-04-09T20:00:00Z")

const instantOf = (text: string): number => Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)-(.*)$/, "$1-$2-$3T$4Z"))

/** A market that trades in the regular hours of one day: minute n of it opens at 100 + n cents. */
const answerBars = (fields: ReadonlyArray<string>, { send }: Talk): void => {
  const [, request = "", , symbol] = fields
  const [end = "", , duration = ""] = fields.slice(15)
  const to = instantOf(end)
  const from = to - Number(duration.split(" ")[0]) * 1000
  const rows: Array<ReadonlyArray<string | number>> = []
  for (let at = Math.max(open, Math.ceil(from / minute) * minute); at < Math.min(to, close); at += minute) {
    const price = 100 + (at - open) / minute / 100
    rows.push([at / 1000, price, price + 0.5, price - 0.5, price + 0.25, 1000, price, 12])
  }
  if (symbol === "NONE") send(4, 2, request, 200, "No security definition has been found for the request", "")
  else if (rows.length === 0) send(4, 2, request, 162, "HMDS query returned no data: AAPL@SMART Trades", "")
  else send(17, request, "from", "to", rows.length, ...rows.flat())
}

const serveBars = (fields: ReadonlyArray<string>, talk: Talk): void => {
  if (fields[0] === "20") answerBars(fields, talk)
  else answerTime(fields, talk)
}

/** The rows of an answer in NDJSON. */
const rowsOf = (stdout: string): ReadonlyArray<{ readonly ts: string; readonly close: number }> =>
  stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))

const rows = ["--format", "ndjson"]
const range = ["--from", "2026-04-09T13:30:00Z", "--to", "2026-04-09T14:30:00Z"]
const aapl = ["AAPL", "--vendor", "ibkr", "--timeframe", "1m"]

describe("bars of a gateway", () => {
  it.live("are fetched once, and told where they come from", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({ onMessage: serveBars })
      const where = { cwd: scratch("ibkr-bars"), env: { IB_PORT: String(gateway.port) } }
      const asked = () => gateway.messages.filter(([id]) => id === "20")
      const first = yield* ran(where, "bars", ...aapl, ...range, ...rows)
      assert.strictEqual(first.code, 0, first.stderr)
      const answer = rowsOf(first.stdout)
      assert.strictEqual(answer.length, 60)
      assert.strictEqual(answer[1]?.close, 100.26)
      assert.strictEqual(asked().length, 1)
      assert.strictEqual(
        asked()[0]?.slice(2).join("|"),
        "|AAPL|STK|||||SMART||USD|||0|20260409-14:30:00|1 min|3600 S|1|TRADES|2|0|"
      )
      const again = yield* ran(where, "bars", ...aapl, ...range, ...rows)
      assert.deepStrictEqual(rowsOf(again.stdout), answer)
      assert.strictEqual(asked().length, 1)
      const wider = yield* ran(
        where,
        "bars",
        ...aapl,
        "--from",
        "2026-04-09T13:30:00Z",
        "--to",
        "2026-04-09T15:00:00Z",
        ...rows
      )
      assert.strictEqual(rowsOf(wider.stdout).length, 90)
      assert.strictEqual(asked().at(-1)?.[15], "20260409-15:00:00")
      const receipt = yield* ran(where, "explain", ...aapl, "--at", "2026-04-09T13:31:00Z")
      assert.strictEqual(receipt.code, 0, receipt.stderr)
      assert.match(receipt.stdout, /row 1 of the bars of AAPL/)
      const rebuilt = yield* ran(where, "rebuild", "--check")
      assert.strictEqual(rebuilt.code, 0, `${rebuilt.stdout}${rebuilt.stderr}`)
      assert.strictEqual(gateway.open(), 0)
    })
  )

  it.live("none where IB says so, and a contract that IB does not know is not asked for again", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({ onMessage: serveBars })
      const where = { cwd: scratch("ibkr-bars"), env: { IB_PORT: String(gateway.port) } }
      const night = ["--from", "2026-04-09T02:00:00Z", "--to", "2026-04-09T03:00:00Z"]
      const empty = yield* ran(where, "bars", ...aapl, ...night, ...rows)
      assert.strictEqual(empty.code, 0, empty.stderr)
      assert.deepStrictEqual(rowsOf(empty.stdout), [])
      const unknown = ["bars", "NONE", ...aapl.slice(1), ...range]
      const first = yield* ran(where, ...unknown)
      assert.strictEqual(first.code, 1)
      assert.match(first.stderr, /ibkr: it does not know NONE/)
      const sent = gateway.messages.filter(([id]) => id === "20").length
      yield* ran(where, ...unknown)
      yield* ran(where, "bars", ...aapl, ...night)
      assert.strictEqual(gateway.messages.filter(([id]) => id === "20").length, sent)
    })
  )

  it.live("without a gateway a read fails with why, and what is stored is still read", () =>
    Effect.gen(function* () {
      const cwd = scratch("ibkr-bars")
      const port = yield* Effect.scoped(
        Effect.gen(function* () {
          const gateway = yield* scripted({ onMessage: serveBars })
          const where = { cwd, env: { IB_PORT: String(gateway.port) } }
          yield* ran(where, "bars", ...aapl, ...range)
          return gateway.port
        })
      )
      const where = { cwd, env: { IB_PORT: String(port) } }
      const stored = yield* ran(where, "bars", ...aapl, ...range, ...rows)
      assert.strictEqual(rowsOf(stored.stdout).length, 60)
      const listed = yield* ran(where, "vendors", "list")
      assert.match(listed.stdout, /^ibkr +ibkr +fetch stream +1s 5s/m)
      const pinged = yield* ran(where, "vendors", "ping", "ibkr")
      assert.strictEqual(pinged.code, 1)
      assert.match(pinged.stdout, /connect ECONNREFUSED/)
    })
  )
})
