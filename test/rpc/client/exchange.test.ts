/** The exchange in docs/protocol.md, sent line by line over one connection: what it says comes is what comes. */
import { readFileSync } from "node:fs"
import { connect } from "node:net"
import { createInterface } from "node:readline"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { place, start } from "./support.ts"

const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8")

/** `>` and `<` lines of all blocks, in order. */
const exchange = [...page.matchAll(/^```\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block = ""]) => block.split("\n"))
  .filter((line) => /^[<>] /.test(line))

/** But for the ids of fibers, which are the server's own. */
const lasting = (line: string): unknown => JSON.parse(line.replace(/"fiberId":\d+/g, '"fiberId":0'))

describe("the exchange in docs/protocol.md", () => {
  it.live("is what a server of this release answers", () =>
    Effect.gen(function* () {
      assert.isAbove(exchange.filter((line) => line.startsWith(">")).length, 9)
      const where = yield* place
      yield* start(where)
      const socket = yield* Effect.acquireRelease(
        Effect.sync(() => connect(where.tcp, "127.0.0.1")),
        (opened) => Effect.sync(() => opened.destroy())
      )
      const answers = createInterface(socket)[Symbol.asyncIterator]()
      for (const line of exchange) {
        if (line.startsWith(">")) {
          socket.write(`${line.slice(2)}\n`)
          continue
        }
        const next = yield* Effect.timeout(
          Effect.promise(() => answers.next()),
          "10 seconds"
        )
        assert.deepStrictEqual(lasting(String(next.value)), lasting(line.slice(2)))
      }
    }).pipe(Effect.scoped)
  )
})
