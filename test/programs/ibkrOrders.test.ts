/** Orders by the command line: what is asked before, who may, and what is left of processes that are killed in the middle. */
import { spawn, spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GatewaySimulator from "../../src/layers/testing/gateway/GatewaySimulator.ts"
import { scripted } from "../layers/adapters/ibkr/scriptedGateway.ts"
import { hostPort, RawClient, serving, until, watched } from "./serving.ts"
import { ended, scratch, start, type Where } from "./tapestry.ts"

const placed = ["ibkr", "order", "place", "AAPL", "--side", "buy", "--quantity", "100", "--limit", "1.25"] as const

/** A directory whose vendor takes orders, unless said otherwise. */
const at = (port: number, allowOrders = true, env: Readonly<Record<string, string>> = {}): Where => {
  const cwd = scratch("ibkr-orders")
  writeFileSync(
    join(cwd, "tapestry.yaml"),
    `vendors:\n  ibkr:\n    adapter: ibkr\n    port: ${port}\n    resets: none\n    allowOrders: ${allowOrders}\n`
  )
  return { cwd, env }
}

const ran = (where: Where, ...args: ReadonlyArray<string>) => Effect.promise(() => ended(start(where, ...args)))

const document = Effect.fnUntraced(function* (where: Where, ...args: ReadonlyArray<string>) {
  const run = yield* ran(where, ...args, "--json")
  assert.strictEqual(run.code, 0, run.stderr)
  return JSON.parse(run.stdout)
})

/** A gateway that takes orders and says nothing of them, and how many it was sent. */
const silent = Effect.map(
  scripted({
    onMessage: ([id], { send }) => {
      if (id === "49") send(49, 1, 1_775_829_600)
      if (id === "16") send(53, 1)
      if (id === "99") send(102)
    }
  }),
  (gateway) => ({ ...gateway, orders: () => gateway.messages.filter(([id]) => id === "3").length })
)

describe("tapestry ibkr order", () => {
  it.live("place, list and cancel", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const where = at(gateway.port)
      const shown = yield* ran(where, ...placed, "--tif", "gtc", "--key", "desk-1", "--yes")
      assert.strictEqual(shown.code, 0, shown.stderr)
      assert.match(shown.stdout, /^order +1$/m)
      assert.match(shown.stdout, /^status +Submitted$/m)
      assert.match(shown.stdout, /^archived +request \d+, response \d+$/m)
      assert.match(shown.stderr, /^buy 100 AAPL at 1.25 or better, until cancelled \(key desk-1\)$/m)
      const { orders } = yield* document(where, "ibkr", "order", "list")
      assert.deepStrictEqual(
        orders.map(({ key, limit, order, symbol }: Record<string, unknown>) => [order, symbol, limit, key]),
        [[1, "AAPL", 1.25, "desk-1"]]
      )
      const cancelled = yield* document(where, "ibkr", "order", "cancel", "1", "--yes")
      assert.strictEqual(cancelled.state.status, "Cancelled")
      assert.match(
        (yield* ran(where, "ibkr", "order", "list")).stdout,
        /^ +AAPL +buy +100 +1.25 +0 +Cancelled by Trader +DU1234567 +desk-1$/m
      )
      const again = yield* ran(where, "ibkr", "order", "cancel", "1", "--yes")
      assert.strictEqual(again.code, 1)
      assert.match(again.stderr, /not in a cancellable state/)
      // A second one of that key is not sent, and one without a key has a new one.
      const second = yield* ran(where, ...placed, "--key", "desk-1", "--yes")
      assert.strictEqual(second.code, 1)
      assert.match(second.stderr, /desk-1 was sent to ibkr before, and is not sent again/)
      const keys = [yield* document(where, ...placed, "--yes"), yield* document(where, ...placed, "--yes")]
      assert.notStrictEqual(keys[0].state.key, keys[1].state.key)
    })
  )

  it.live("without a terminal and without --yes nothing is sent, and nobody is asked", () =>
    Effect.gen(function* () {
      const gateway = yield* silent
      const where = at(gateway.port)
      for (const args of [placed, ["ibkr", "order", "cancel", "1"]]) {
        const run = yield* ran(where, ...args)
        assert.strictEqual(run.code, 2)
        assert.strictEqual(run.stdout, "")
        assert.match(run.stderr, /nothing was sent: there is no terminal to ask at; say --yes/)
      }
      assert.strictEqual(gateway.connections(), 0)
    })
  )

  it.live("at a terminal it is asked, and only yes is yes", () =>
    Effect.gen(function* () {
      const python = spawnSync("python3", ["-c", "import pty"], { encoding: "utf8" })
      if (python.status !== 0) return yield* Effect.sync(() => console.log("skipped: a terminal (no python3 with pty)"))
      const gateway = yield* GatewaySimulator.make()
      const where = at(gateway.port)
      const bundle = join(import.meta.dirname, "../../dist/cli.mjs")
      const typed = (answer: string) =>
        Effect.promise(async () => {
          const script = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said, answered = b"", False
while True:
    try:
        part = os.read(fd, 4096)
    except OSError:
        break
    if not part:
        break
    said += part
    if not answered and b'Type "yes"' in said:
        answered = True
        os.write(fd, b"${answer}\\n")
sys.stdout.write(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`
          const child = spawn("python3", ["-c", script, process.execPath, bundle, ...placed], {
            cwd: where.cwd,
            env: { PATH: process.env.PATH, HOME: where.cwd, TMPDIR: where.cwd, NO_COLOR: "1" }
          })
          return ended(child)
        })
      for (const answer of ["y", "YES please", ""]) {
        const run = yield* typed(answer)
        assert.strictEqual(run.code, 2, run.stdout + run.stderr)
        assert.match(run.stdout, /nothing was sent/)
      }
      assert.deepStrictEqual(gateway.clients(), [])
      const sent = yield* typed("yes")
      assert.strictEqual(sent.code, 0, sent.stdout + sent.stderr)
      assert.match(sent.stdout, /status +Submitted/)
    })
  )

  it.live("what cannot be meant, and a vendor that takes none", () =>
    Effect.gen(function* () {
      const gateway = yield* silent
      const bare = placed.slice(0, -2)
      for (const [args, words] of [
        [bare, /say --limit PRICE or --market, one of the two/],
        [[...placed, "--market"], /one of the two/],
        [[...bare.slice(0, -1), "0", "--market"], /more than 0/]
      ] as const) {
        const run = yield* ran(at(gateway.port), ...args, "--yes")
        assert.strictEqual(run.code, 2, run.stderr)
        assert.match(run.stderr, words)
      }
      for (const args of [
        [...placed, "--yes"],
        ["ibkr", "order", "list"],
        ["ibkr", "order", "cancel", "1", "--yes"]
      ]) {
        const run = yield* ran(at(gateway.port, false), ...args)
        assert.strictEqual(run.code, 2, run.stderr)
        assert.match(run.stderr, /orders are off for ibkr; "allowOrders: true" of that vendor in tapestry.yaml/)
      }
      assert.strictEqual(gateway.orders(), 0)
    })
  )
})

describe("who may", () => {
  const call = {
    vendor: "ibkr",
    key: "far",
    order: { symbol: "AAPL", currency: null, side: "buy", quantity: 1, limit: 1.25, timeInForce: "day", account: null }
  }

  it.live("the command line beside an owner, by its socket; and nobody by TCP without the token", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const where = at(gateway.port)
      const server = yield* Effect.promise(() => serving(where))
      const receipt = yield* document(where, ...placed, "--key", "near", "--yes")
      assert.strictEqual(receipt.state.status, "Submitted")
      const client = yield* Effect.promise(() => RawClient.open(hostPort(server.tcp)))
      for (const [tag, payload] of [
        ["Orders.place", call],
        ["Orders.cancel", { vendor: "ibkr", order: 1, client: null }],
        ["Orders.list", { vendor: "ibkr" }]
      ] as const) {
        const exit = yield* Effect.promise(() => client.call(tag, payload))
        assert.strictEqual(exit?._tag, "Failure")
        assert.include(JSON.stringify(exit), "AdminOff")
      }
      client.end()
      const { orders } = yield* document(where, "ibkr", "order", "list")
      assert.deepStrictEqual(
        orders.map(({ key }: Record<string, unknown>) => key),
        ["near"]
      )
      server.child.kill("SIGTERM")
      yield* Effect.promise(() => server.end)
    })
  )

  it.live("who has the token, from elsewhere", () =>
    Effect.gen(function* () {
      const token = "0123456789abcdef0123456789abcdef"
      const gateway = yield* GatewaySimulator.make()
      const where = at(gateway.port, true, { TAPESTRY_ADMIN_TOKEN: token })
      const server = yield* Effect.promise(() => serving(where))
      const asked = (authorization: string) =>
        Effect.promise(async () => {
          const client = await RawClient.open(hostPort(server.tcp))
          client.write({
            _tag: "Request",
            id: "1",
            tag: "Orders.place",
            payload: call,
            headers: [["authorization", authorization]]
          })
          const exit = await client.exitOf("1")
          client.end()
          return exit
        })
      assert.include(JSON.stringify(yield* asked("Bearer wrong")), "Unauthenticated")
      const exit = yield* asked(`Bearer ${token}`)
      assert.strictEqual(exit?._tag, "Success", JSON.stringify(exit))
      assert.strictEqual(exit.value.state.status, "Submitted")
      server.child.kill("SIGTERM")
      yield* Effect.promise(() => server.end)
    })
  )
})

describe("killed in the middle", () => {
  it.live("after the order is on the wire: it is in the archive, and is not sent again", () =>
    Effect.gen(function* () {
      const gateway = yield* silent
      const where = at(gateway.port)
      const command = watched(where, ...placed, "--key", "desk-1", "--yes")
      yield* Effect.promise(() => until(() => gateway.orders() === 1, command.stderr))
      command.child.kill("SIGKILL")
      yield* Effect.promise(() => command.end)
      const again = yield* ran(where, ...placed, "--key", "desk-1", "--yes")
      assert.strictEqual(again.code, 1)
      assert.match(again.stderr, /no acknowledgement of it is archived, and it may be at work all the same/)
      assert.strictEqual(gateway.orders(), 1)
      assert.strictEqual((yield* ran(where, "ibkr", "order", "list")).code, 0)
    })
  )

  for (const [point, onWire] of [
    ["beforeSend", 0],
    ["afterSend", 1]
  ] as const) {
    it.live(`at ${point}: not sent again`, () =>
      Effect.gen(function* () {
        const gateway = yield* GatewaySimulator.make()
        const where = at(gateway.port)
        const crashing = { ...where, env: { TAPESTRY_CRASH_POINT: point } }
        const killed = yield* ran(crashing, ...placed, "--key", "desk-1", "--yes")
        assert.isNull(killed.code)
        const again = yield* ran(where, ...placed, "--key", "desk-1", "--yes")
        assert.strictEqual(again.code, 1)
        assert.match(again.stderr, /is not sent again/)
        const { orders } = yield* document(where, "ibkr", "order", "list")
        assert.strictEqual(orders.length, onWire)
      })
    )
  }

  it.live("the owner that was asked: the command goes on as the owner, and sends nothing twice", () =>
    Effect.gen(function* () {
      const gateway = yield* silent
      const where = at(gateway.port)
      const server = yield* Effect.promise(() => serving(where))
      const command = watched(where, ...placed, "--key", "desk-1", "--yes")
      yield* Effect.promise(() => until(() => gateway.orders() === 1, command.stderr))
      server.child.kill("SIGKILL")
      const { code, stderr } = yield* Effect.promise(() => command.end)
      assert.strictEqual(code, 1, stderr)
      assert.match(stderr, /desk-1 was sent to ibkr before, and is not sent again/)
      assert.strictEqual(gateway.orders(), 1)
    })
  )
})
