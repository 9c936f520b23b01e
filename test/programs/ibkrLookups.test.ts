/** What a gateway can be asked beside rows, by the command line, of a simulated one in several versions of the protocol. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GatewaySimulator from "../../src/layers/testing/gateway/GatewaySimulator.ts"
import { serving } from "./serving.ts"
import { ended, scratch, start, tapestry, type Where } from "./tapestry.ts"

const ran = (where: Where, ...args: ReadonlyArray<string>) => Effect.promise(() => ended(start(where, ...args)))

describe("tapestry ibkr", () => {
  for (const version of [176, 181, 182, 186, 193]) {
    it.live(`contract, in version ${version}: what IB knows of it, asked once a day`, () =>
      Effect.gen(function* () {
        const gateway = yield* GatewaySimulator.make({ version })
        const where = { cwd: scratch("ibkr-lookup"), env: { IB_PORT: String(gateway.port) } }
        const first = yield* ran(where, "ibkr", "contract", "AAPL", "--json")
        assert.strictEqual(first.code, 0, first.stderr)
        const [one, ...others] = JSON.parse(first.stdout).contracts
        assert.strictEqual(others.length, 0)
        assert.deepStrictEqual(
          [one.id, one.name, one.symbol, one.kind, one.currency, one.primaryExchange, one.minTick, one.zone],
          ["265598", "AAPL", "AAPL", "stock", "USD", "NASDAQ", 0.01, "US/Eastern"]
        )
        assert.include(one.exchanges, "SMART")
        const [{ end, start }] = one.regularHours
        const [{ start: early }] = one.tradingHours
        const inNewYork = (at: number) =>
          new Date(at).toLocaleTimeString("en-GB", { timeZone: "America/New_York", timeStyle: "short" })
        assert.deepStrictEqual([inNewYork(early), inNewYork(start), inNewYork(end)], ["04:00", "09:30", "16:00"])
        const again = yield* ran({ ...where, env: { IB_PORT: "1" } }, "ibkr", "contract", "AAPL", "--json")
        assert.strictEqual(again.stdout, first.stdout)
      })
    )
  }

  it.live("search, chain and first", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const where = { cwd: scratch("ibkr-lookup"), env: { IB_PORT: String(gateway.port) } }
      const search = yield* ran(where, "ibkr", "search", "AAP", "--json")
      assert.deepStrictEqual(
        JSON.parse(search.stdout).contracts.map(({ derivatives, id, name }: Record<string, unknown>) => [
          id,
          name,
          derivatives
        ]),
        [["265598", "AAPL", ["OPT"]]]
      )
      const none = yield* ran(where, "ibkr", "search", "NOTHING AT ALL")
      assert.strictEqual(none.stdout, "nothing of that name\n")
      const chain = yield* ran(where, "ibkr", "chain", "AAPL", "--json")
      const { chains } = JSON.parse(chain.stdout)
      assert.isAbove(chains.length, 0)
      for (const one of chains) {
        assert.strictEqual(one.underlyingId, "265598")
        assert.isAbove(one.expirations.length, 0)
        assert.isTrue(one.expirations.every((date: string) => /^\d{4}-\d\d-\d\d$/.test(date)))
        assert.deepStrictEqual(
          one.strikes,
          one.strikes.toSorted((a: number, b: number) => a - b)
        )
      }
      // An option of the chain is a contract.
      const [date] = chains[0].expirations
      const strike = chains[0].strikes[Math.floor(chains[0].strikes.length / 2)]
      const name = `OPT:AAPL-${date.replaceAll("-", "")}-C-${strike}`
      const option = yield* ran(where, "ibkr", "contract", name, "--json")
      assert.deepStrictEqual(
        JSON.parse(option.stdout).contracts.map(
          ({ expiry, multiplier, name, right, strike, underlyingId }: Record<string, unknown>) => [
            name,
            expiry,
            right,
            strike,
            multiplier,
            underlyingId
          ]
        ),
        [[name, date, "C", strike, 100, "265598"]]
      )
      const first = yield* ran(where, "ibkr", "first", "AAPL")
      assert.match(first.stdout, /^\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z\n$/)
    })
  )

  it.live("beside an owner, by the owner's session", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const cwd = scratch("ibkr-lookup")
      const commands = [
        ["contract", "AAPL", "--json"],
        ["search", "AAP"],
        ["chain", "AAPL"],
        ["first", "AAPL", "--json"],
        ["contract", "NOSUCHTHING", "--json"]
      ]
      const server = yield* Effect.promise(() => serving({ cwd, env: { IB_PORT: String(gateway.port) } }))
      // What the commands themselves would connect to is not there.
      const beside = { cwd, env: { IB_PORT: "1" } }
      const told = yield* Effect.forEach(commands, (command) => ran(beside, "ibkr", ...command))
      assert.deepStrictEqual(
        told.map(({ code }) => code),
        [0, 0, 0, 0, 1]
      )
      server.child.kill("SIGTERM")
      yield* Effect.promise(() => server.end)
      const where = { cwd: scratch("ibkr-lookup"), env: { IB_PORT: String(gateway.port) } }
      for (const [index, command] of commands.entries()) {
        const alone = yield* ran(where, "ibkr", ...command)
        assert.strictEqual(told[index]?.stdout, alone.stdout, command.join(" "))
      }
    })
  )

  it.live("what is not there, and what cannot be asked", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const where = { cwd: scratch("ibkr-lookup"), env: { IB_PORT: String(gateway.port) } }
      const unknown = yield* ran(where, "ibkr", "contract", "NOSUCHTHING", "--json")
      assert.strictEqual(unknown.code, 1)
      assert.strictEqual(JSON.parse(unknown.stdout).error.reason, "NotFound")
      const misspelled = yield* ran(where, "ibkr", "chain", "OPT:AAPL")
      assert.strictEqual(misspelled.code, 2)
      assert.match(misspelled.stderr, /an option has a date, C or P and a strike/)
      const nobody = tapestry({ cwd: scratch("ibkr-lookup") }, "ibkr", "contract", "AAPL")
      assert.strictEqual(nobody.code, 2)
      assert.match(nobody.stderr, /no vendor ibkr; set IB_HOST or IB_PORT/)
      const sample = yield* ran(where, "ibkr", "search", "A", "--vendor", "sample")
      assert.strictEqual(sample.code, 2)
    })
  )
})
