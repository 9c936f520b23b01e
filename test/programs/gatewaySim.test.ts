import { createServer } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { RawClient } from "../layers/testing/gateway/RawClient.ts"
import { until, watched } from "./serving.ts"
import { scratch, tapestry } from "./tapestry.ts"

describe("tapestry gateway-sim", () => {
  it("says where it listens, serves a market that moves, and ends with 0 when it is told to", async () => {
    const where = { cwd: scratch("gateway-sim") }
    const process = watched(where, "gateway-sim", "--port", "0", "--seed", "7", "--speed", "20", "--json")
    await until(() => process.stdout().includes("\n"), process.stderr)
    const { gateway, hours, seed, speed } = JSON.parse(process.stdout())
    assert.deepStrictEqual([hours, seed, speed], ["always", 7, 20])
    const client = await RawClient.started(Number(String(gateway).split(":")[1]))
    client.send(1, 11, 1, 0, "EUR", "CASH", "", 0, "", "", "IDEALPRO", "", "USD", "", "", 0, "", 0, 0, "")
    await client.until((frames) => frames.filter(([id, , , type]) => id === "1" && type === "1").length >= 5)
    process.child.kill("SIGTERM")
    assert.strictEqual((await process.end).code, 0)
    await client.end()
    client.close()
  })

  it("says so when somebody listens there already", async () => {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve())
    })
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const run = tapestry({ cwd: scratch("gateway-sim-taken") }, "gateway-sim", "--port", String(port))
    server.close()
    assert.strictEqual(run.code, 1)
    assert.include(run.stderr, `cannot listen on 127.0.0.1:${port}`)
  })
})
