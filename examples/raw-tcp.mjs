// A client in plain JavaScript: JSON lines over TCP, by hand (docs/protocol.md).  node raw-tcp.mjs 127.0.0.1:7000
import { connect } from "node:net"

const [host, port] = (process.argv[2] ?? "127.0.0.1:7000").split(":")
const socket = connect(Number(port), host).setEncoding("utf8")
const send = (message) => socket.write(`${JSON.stringify(message)}\n`)
const part = { dataset: null, kind: "bar", price: "trade", session: "regular", currency: "USD", adjustment: "raw" }
const series = { vendor: "sample", symbol: "SPX", timeframe: "1d", ...part }
const range = { start: Date.UTC(2019, 0, 1), end: Date.UTC(2020, 0, 1) }
send({ _tag: "Request", id: "1", tag: "Series.bars", payload: { series, range }, headers: [] })
const bars = []
let rest = ""
socket.on("data", (text) => {
  const lines = (rest + text).split("\n")
  rest = lines.pop()
  for (const message of lines.map((line) => JSON.parse(line))) {
    if (message._tag === "Chunk") {
      bars.push(...message.values)
      send({ _tag: "Ack", requestId: message.requestId }) // or the stream stops here
    } else if (message._tag === "Exit") {
      console.log(message.exit._tag, bars.length, "bars, the last closes at", bars.at(-1)?.close)
      socket.end()
    }
  }
})
