/** The same with the command itself: pages of rows that nobody reads do not outlive SIGTERM. */
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { hostPort, RawClient, serving } from "../../programs/serving.ts"
import { minuteFile, scratch } from "../../programs/tapestry.ts"
import { call, head } from "./support.ts"

const range = { start: Date.UTC(2015, 0, 1), end: Date.UTC(2015, 2, 1) }

const config = `vendors:
  big:
    adapter: file
    root: .
    path: "{symbol}.csv"
    timestamp: iso
    timeframe: 1m
`

describe("SIGTERM", () => {
  for (const stays of [true, false]) {
    it(`ends a server within twelve seconds whose client reads none of 400 pages and ${stays ? "stays" : "left"}`, async () => {
      const where = { cwd: scratch(`unread-${stays}`) }
      writeFileSync(join(where.cwd, "big.csv"), minuteFile(50_000))
      writeFileSync(join(where.cwd, "tapestry.yaml"), config)
      const server = await serving(where)
      const client = await RawClient.open(hostPort(server.tcp))
      const query = { symbol: "BIG", kind: "bar", timeframe: "1m" }
      const resolved = await client.call("Series.resolve", { vendor: "big", query })
      assert.strictEqual(resolved._tag, "Success", JSON.stringify(resolved))
      const payload = { series: resolved.value, range }
      const first = await client.call("Series.page", payload)
      assert.strictEqual(first._tag, "Success", JSON.stringify(first))
      assert.strictEqual(first.value.bars.length, 1_000)

      const socket = connect(hostPort(server.http))
      socket.on("error", () => {})
      await once(socket, "connect")
      socket.pause()
      const body = Array.from({ length: 400 }, (_, id) => call(id, "Series.page", payload)).join("")
      socket.write(head("POST /rpc", { "content-length": String(body.length) }) + body)
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      if (!stays) socket.destroy()
      const began = performance.now()
      server.child.kill("SIGTERM")
      const end = await server.end
      assert.isBelow(performance.now() - began, 12_000)
      assert.deepInclude(end, { code: 0, signal: null }, end.stderr)
      socket.destroy()
    }, 40_000)
  }
})
