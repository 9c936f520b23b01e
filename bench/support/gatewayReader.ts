/** A client in a process of its own that counts the frames it is sent: argv is the port, the requests as JSON, and how many frames are the end. */
import { connect } from "node:net"

const [port = "0", requests = "[]", wanted = "0"] = process.argv.slice(2)

const framed = (fields: ReadonlyArray<string | number>): Buffer => {
  const payload = Buffer.from(`${fields.join("\0")}\0`)
  const bytes = Buffer.alloc(4 + payload.length)
  bytes.writeUInt32BE(payload.length)
  payload.copy(bytes, 4)
  return bytes
}

const socket = connect({ host: "127.0.0.1", port: Number(port), noDelay: true })
const hello = Buffer.from("API\0\0\0\0\x09v100..193", "latin1")
let frames = 0
let began = 0
/** Bytes of the frame under way that have not come; negative: bytes of its length are missing. */
let left = 0
let header = 0
let headerBytes = 0
socket.on("connect", () => socket.write(hello))
socket.on("data", (chunk) => {
  const before = frames
  for (let at = 0; at < chunk.length; ) {
    if (left > 0) {
      const taken = Math.min(left, chunk.length - at)
      left -= taken
      at += taken
      if (left === 0) frames++
      continue
    }
    header = (header << 8) | (chunk[at++] ?? 0)
    if (++headerBytes < 4) continue
    left = header
    header = 0
    headerBytes = 0
  }
  if (before === 0 && frames > 0) {
    socket.write(framed([71, 2, 1, ""]))
    for (const request of JSON.parse(requests)) socket.write(framed(request))
    process.send?.("ready")
  }
  // The greetings are not what is measured.
  if (frames >= 50 && began === 0) {
    began = performance.now()
    process.send?.({ from: frames })
    frames = 0
  }
  if (began > 0 && frames >= Number(wanted)) {
    process.send?.({ frames, seconds: (performance.now() - began) / 1000, cpu: process.cpuUsage() })
    process.exit(0)
  }
})
socket.on("close", () => process.exit(0))
