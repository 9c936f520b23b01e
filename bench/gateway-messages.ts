/**
 * Claims: the simulated gateway sends 500,000 messages a second to one client, each made from its market; and at 2,000 messages a second the 99th
 * percentile of how late one is stays under 2 ms. Baselines in the same run: a bare server of node:net that writes prebuilt chunks of
 * the same messages to the same client, and a bare timer that counts down to the same instants. The client is a process of its
 * own, which counts frames and does nothing else.
 */
import { fork } from "node:child_process"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { make } from "../src/layers/testing/gateway/GatewaySimulator.ts"
import { VirtualTime } from "../src/layers/testing/gateway/VirtualTime.ts"

const runs = 5
const messages = 2_000_000
const start = Date.UTC(2026, 3, 10, 0, 0, 30)
const reader = fileURLToPath(new URL("support/gatewayReader.ts", import.meta.url))

interface Read {
  readonly frames: number
  readonly seconds: number
}

const isRead = (value: unknown): value is Read => typeof value === "object" && value !== null && "seconds" in value

/** A client that asks for this and tells how long it took to be sent so many frames. */
const reading = (port: number, requests: ReadonlyArray<ReadonlyArray<string | number>>, frames: number) => {
  const child = fork(reader, [String(port), JSON.stringify(requests), String(frames)], { execArgv: [] })
  const ready = new Promise<void>((resolve) => {
    child.on("message", (value) => (value === "ready" ? resolve() : undefined))
  })
  const read = new Promise<Read>((resolve) => {
    child.on("message", (value) => (isRead(value) ? resolve(value) : undefined))
  })
  return { ready, read }
}

const symbols = ["AAPL", "MSFT", "NVDA", "AMZN", "TSLA", "IBM", "JPM", "SPY"]
const requests = symbols.map((symbol, reqId) => [
  ...[97, reqId, 0, symbol, "STK", "", 0, "", "", "SMART", "", "USD", "", "", "BidAsk", 0, 0]
])

/** Messages a second from the market to the client, and the processor's seconds that the gateway took for a million of them. */
const simulated = Effect.scoped(
  Effect.gen(function* () {
    const gateway = yield* make({ activity: 1_000, hours: "always", start, quotas: { tickByTick: 100 } })
    const { read, ready } = reading(gateway.port, requests, messages)
    yield* Effect.promise(() => ready)
    const before = process.cpuUsage()
    let result: Read | null = null
    read.then((value) => {
      result = value
    })
    while (result === null) yield* gateway.advance("1 second")
    const { system, user } = process.cpuUsage(before)
    const { frames, seconds } = result as Read
    return { rate: frames / seconds, cpu: (user + system) / 1e6 / (frames / 1e6) }
  })
)

/** The same client, and a server that has nothing to do but write. */
const bare = async (): Promise<number> => {
  const message = Buffer.from("99\x003\x003\x001775829600\x00187.31\x00187.32\x00300\x00500\x000\x00")
  const frame = Buffer.concat([Buffer.from([0, 0, 0, message.length]), message])
  const chunk = Buffer.concat(Array.from({ length: 1_000 }, () => frame))
  const server = createServer((socket) => {
    socket.on("error", () => {})
    const fill = () => {
      while (socket.write(chunk));
    }
    socket.once("data", () => {
      fill()
      socket.on("drain", fill)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve())
  })
  const address = server.address()
  const { read } = reading(typeof address === "object" && address !== null ? address.port : 0, [], messages)
  const { frames, seconds } = await read
  server.close()
  return frames / seconds
}

const percentile = (values: ReadonlyArray<number>, share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

/** When a task is due: two each millisecond, as the market knows no shorter times. */
const dueAt = (index: number): number => Math.ceil(index / 2)

/** How late each of 2,000 tasks a second is, over two seconds, in milliseconds. */
const lateness = (): Promise<ReadonlyArray<number>> =>
  new Promise((resolve) => {
    const late: Array<number> = []
    const began = performance.now()
    const time = new VirtualTime(0, 1, () => {})
    for (let index = 1; index <= 4_000; index++) {
      time.schedule(dueAt(index), () => {
        late.push(performance.now() - began - dueAt(index))
        if (late.length === 4_000) {
          time.stop()
          resolve(late)
        }
      })
    }
  })

/** The same by timers of Node alone. */
const timers = (): Promise<ReadonlyArray<number>> =>
  new Promise((resolve) => {
    const late: Array<number> = []
    const began = performance.now()
    for (let index = 1; index <= 4_000; index++) {
      setTimeout(() => {
        late.push(performance.now() - began - dueAt(index))
        if (late.length === 4_000) resolve(late)
      }, dueAt(index))
    }
  })

const median = (values: ReadonlyArray<number>) => percentile(values, 0.5)

const rates: Array<{ readonly ours: number; readonly cpu: number; readonly bare: number }> = []
const delays: Array<{ readonly ours: number; readonly bare: number }> = []
for (let run = 0; run < runs; run++) {
  const { cpu, rate } = await Effect.runPromise(simulated)
  rates.push({ ours: rate, cpu, bare: await bare() })
  delays.push({ ours: percentile(await lateness(), 0.99), bare: percentile(await timers(), 0.99) })
}
const verdict = (holds: boolean) => (holds ? "holds" : "misses")
const ours = median(rates.map((one) => one.ours))
const theirs = median(rates.map((one) => one.bare))
const cpu = median(rates.map((one) => one.cpu))
const late = median(delays.map((one) => one.ours))
const bareLate = median(delays.map((one) => one.bare))
const thousands = (rate: number) => `${(rate / 1000).toFixed(0)}k`
console.log(`simulated gateway, median of ${runs} runs`)
console.log(
  `  to one client   ${thousands(ours)} messages/s (processor ${cpu.toFixed(2)} s a million)   ${(ours / theirs).toFixed(2)} x prebuilt chunks (${thousands(theirs)}/s)   target 500k   ${verdict(ours >= 500_000)}`
)
console.log(
  `  lateness p99    ${late.toFixed(2)} ms at 2,000/s   ${(late / bareLate).toFixed(2)} x bare timers (${bareLate.toFixed(2)} ms)   target 2 ms   ${verdict(late < 2)}`
)
process.exit(0)
