/**
 * The one place that opens @stoqey/ib up. The library makes its socket itself and reads it in a listener of its own; there is no
 * option to put anything in between. So right after `connect` its `data` listener is taken off the socket and called by the guard,
 * frame by frame. That reaches through two members that its declarations call private (`controller.socket.client`), which is why its
 * version is pinned, and why `tapped` refuses to go on where they are not there.
 *
 * Loaded when a session first connects and never before. Its module of that class alone is loaded: the package's front also loads
 * the reactive client and rxjs.
 */
import type { Socket } from "node:net"
import type { EventName, IBApi } from "@stoqey/ib"

/** Above anything that the session's own pacing lets through, so that the library's limiter, which no disconnect empties, never waits. */
const noPacing = 1_000_000

/** An object of its own for every connection: one that has lost its socket keeps commands, timers and half messages. */
export const makeApi = async (
  host: string,
  port: number
): Promise<{ readonly api: IBApi; readonly events: typeof EventName }> => {
  const [{ IBApi }, { EventName: events }] = await Promise.all([
    import("@stoqey/ib/dist/api/api.js"),
    import("@stoqey/ib/dist/api/data/enum/event-name.js")
  ])
  // All are given, or the library reads .env and files of its own.
  return { api: new IBApi({ host, port, maxReqPerSec: noPacing }), events }
}

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined

const isSocket = (value: unknown): value is Socket =>
  typeof member(value, "on") === "function" && typeof member(value, "destroy") === "function"

/** A connection's socket, and what the library does with bytes of it. */
export interface Tap {
  readonly socket: Socket
  /** Has the library read bytes; throws what the library throws. */
  readonly read: (bytes: Buffer) => void
}

/** Takes the library's place at its socket. To be called in the turn of the event loop in which it was told to connect. */
export const tapped = (api: IBApi): Tap => {
  const socket = member(member(member(api, "controller"), "socket"), "client")
  if (!isSocket(socket)) throw new Error("@stoqey/ib keeps its socket elsewhere than in 1.6.10")
  const [reader, ...others] = socket.listeners("data")
  if (reader === undefined || others.length > 0) throw new Error("@stoqey/ib reads its socket otherwise than in 1.6.10")
  socket.removeAllListeners("data")
  return { socket, read: (bytes) => reader.call(socket, bytes) }
}
