/**
 * Clients of a WebSocket that is only read, in a process of their own: bare sockets that count whole frames and look at no more of them than they
 * have to, so that they are not what is measured. The one argument is a job as JSON. Prints `ready` when all are connected, and what was
 * measured as one line of JSON when each has had the last message, which has `"bid":-1`.
 */
import { connect } from "node:net"

export interface ReaderJob {
  readonly port: number
  readonly path: string
  readonly clients: number
  /** Whether to look at when each message was sent: its `volume`, in microseconds of the machine's monotonic clock. */
  readonly timed: boolean
}

export interface Read {
  /** Rows, the last ones not counted. */
  readonly messages: number
  /** From the first to the last, in seconds. */
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  readonly worst: number
}

const last = Buffer.from('"bid":-1,')
const row = Buffer.from('"bid":')
/** How things stood when it joined, which is not measured. */
const snapshot = Buffer.from('"snapshot":true')
const sentAt = '"volume":'
const upgrade = (path: string) =>
  [
    `GET ${path} HTTP/1.1`,
    "host: localhost",
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    "",
    ""
  ].join("\r\n")

const micros = () => Number(process.hrtime.bigint() / 1_000n)

const run = ({ clients, path, port, timed }: ReaderJob) => {
  let open = 0
  let ended = 0
  let messages = 0
  let first = 0
  let newest = 0
  const taken: Array<number> = []

  const read = (frame: Buffer, now: number): boolean => {
    if (!frame.includes(row) || frame.includes(snapshot)) return false
    if (frame.includes(last)) return true
    if (first === 0) first = now
    newest = now
    messages++
    if (timed) {
      const text = frame.toString("latin1")
      const at = text.indexOf(sentAt) + sentAt.length
      taken.push((now - Number.parseFloat(text.slice(at, at + 20))) / 1_000)
    }
    return false
  }

  const done = () => {
    taken.sort((a, b) => a - b)
    const at = (share: number) => taken[Math.floor(taken.length * share)] ?? Number.NaN
    const found: Read = {
      messages,
      seconds: (newest - first) / 1e6,
      p50: at(0.5),
      p99: at(0.99),
      worst: taken.at(-1) ?? Number.NaN
    }
    console.log(JSON.stringify(found))
    process.exit(0)
  }

  for (let client = 0; client < clients; client++) {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => socket.write(upgrade(path)))
    let rest: Buffer = Buffer.alloc(0)
    let upgraded = false
    socket.on("data", (bytes: Buffer) => {
      const now = micros()
      let all: Buffer = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
      if (!upgraded) {
        const end = all.indexOf("\r\n\r\n")
        if (end === -1) {
          rest = all
          return
        }
        if (!all.subarray(0, 12).equals(Buffer.from("HTTP/1.1 101"))) throw new Error(all.toString())
        upgraded = true
        all = all.subarray(end + 4)
        open++
        if (open === clients) console.log("ready")
      }
      let from = 0
      for (;;) {
        if (all.length - from < 2) break
        const short = (all[from + 1] ?? 0) & 0x7f
        const head = short === 126 ? 4 : short === 127 ? 10 : 2
        if (all.length - from < head) break
        const length = short === 126 ? all.readUInt16BE(from + 2) : short === 127 ? all.readUInt32BE(from + 6) : short
        if (all.length - from < head + length) break
        if (read(all.subarray(from + head, from + head + length), now)) {
          ended++
          if (ended === clients) done()
        }
        from += head + length
      }
      rest = all.subarray(from)
    })
  }
}

if (import.meta.main) run(JSON.parse(process.argv[2] ?? "{}"))
