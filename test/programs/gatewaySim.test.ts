import { writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
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

  it("refuses scenarios and recordings that cannot be meant, and says where", () => {
    const where = { cwd: scratch("gateway-sim-files") }
    writeFileSync(join(where.cwd, "bad.yaml"), "- at: 1s\n  fault: Explode\n")
    writeFileSync(join(where.cwd, "XYZ.csv"), "time,price,size\nyesterday,1,1\n")
    const scenario = tapestry(where, "gateway-sim", "--port", "0", "--scenario", "bad.yaml")
    assert.strictEqual(scenario.code, 1)
    assert.include(scenario.stderr, "entry 1")
    const replay = tapestry(where, "gateway-sim", "--port", "0", "--replay", "XYZ.csv")
    assert.strictEqual(replay.code, 1)
    assert.include(replay.stderr, "line 2")
    const absent = tapestry(where, "gateway-sim", "--port", "0", "--scenario", "absent.yaml")
    assert.strictEqual(absent.code, 2)
    assert.include(absent.stderr, "absent.yaml")
  })

  it("plays recorded trades as fast as it is told to", async () => {
    const where = { cwd: scratch("gateway-sim-replay") }
    const rows = Array.from(
      { length: 100 },
      (_, index) => `${1_715_952_600_000 + index * 100},101.${10 + (index % 90)},100`
    )
    writeFileSync(join(where.cwd, "XYZ.csv"), `time,price,size\n${rows.join("\n")}\n`)
    const process = watched(where, "gateway-sim", "--port", "0", "--speed", "5", "--replay", "XYZ.csv", "--json")
    await until(() => process.stdout().includes("\n"), process.stderr)
    const { gateway, replay, start } = JSON.parse(process.stdout())
    assert.deepStrictEqual([replay, String(start).slice(0, 19)], ["XYZ", "2024-05-17T13:29:59"])
    const client = await RawClient.started(Number(String(gateway).split(":")[1]))
    const seconds = async () => {
      await client.answered()
      return Number(client.of(49).at(-1)?.[2])
    }
    while ((await seconds()) < 1_715_952_611) await new Promise((resolve) => setTimeout(resolve, 100))
    const contract = [0, "XYZ", "STK", "", 0, "", "", "SMART", "", "USD", "", ""] as const
    client.send(96, 1, ...contract, 0, "20240517-13:30:00", "", 1000, "TRADES", 0, 0, "")
    await client.until((frames) => frames.some(([id]) => id === "98"))
    assert.strictEqual(client.of(98)[0]?.[2], "100")
    process.child.kill("SIGTERM")
    assert.strictEqual((await process.end).code, 0)
    client.close()
  })
})
