/** `tapestry serve` as a child process, and a client of its TCP port that speaks the protocol by hand. */
import type { ChildProcess } from "node:child_process"
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import { afterAll, assert } from "@effect/vitest"
import { collected, type Run, start, type Where } from "./tapestry.ts"

export interface Serving {
  readonly http: string | null
  readonly tcp: string | null
  readonly socket: string
  readonly child: ChildProcess
  /** What was written so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** Done when the process has ended. */
  readonly end: Promise<Run & { readonly signal: NodeJS.Signals | null }>
}

const children = new Set<ChildProcess>()
const servers = new Set<Server>()
afterAll(() => {
  for (const child of children) child.kill("SIGKILL")
  for (const server of servers) server.close()
})

/** Starts a command and collects what it writes; it is killed after the tests when it still runs. */
export const watched = (where: Where, ...args: ReadonlyArray<string>) => {
  const child = start(where, ...args)
  children.add(child)
  child.on("close", () => children.delete(child))
  return { child, ...collected(child) }
}

/** Waits until `holds`, at most ten seconds. */
export const until = async (holds: () => boolean | Promise<boolean>, what: () => string = () => "") => {
  for (let i = 0; i < 1_000; i++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail(`did not happen in ten seconds ${what()}`)
}

/** A server on free ports, from the moment it has said where it listens. */
export const serving = async (where: Where, ...args: ReadonlyArray<string>): Promise<Serving> => {
  const ports = [
    ...(args.includes("--http") ? [] : ["--http", "127.0.0.1:0"]),
    ...(args.includes("--tcp") ? [] : ["--tcp", "127.0.0.1:0"])
  ]
  const process = watched(where, "serve", ...ports, "--json", ...args)
  await until(
    () => process.stdout().includes("\n") || process.child.exitCode !== null,
    () => process.stderr()
  )
  const [line = ""] = process.stdout().split("\n")
  assert.notStrictEqual(line, "", process.stderr())
  const { http, pid, socket, tcp } = JSON.parse(line)
  assert.strictEqual(pid, process.child.pid)
  return { ...process, http, tcp, socket }
}

export const hostPort = (address: string | null): { readonly host: string; readonly port: number } => {
  const match = /^(?:tcp:\/\/|http:\/\/)?\[?([^\]]*?)\]?:(\d+)$/.exec(address ?? "")
  assert.isNotNull(match, `no address: ${address}`)
  return { host: match?.[1] ?? "", port: Number(match?.[2]) }
}

export interface Message {
  readonly _tag: string
  readonly requestId?: string
  readonly values?: ReadonlyArray<{ readonly [key: string]: unknown }>
  // biome-ignore lint/suspicious/noExplicitAny: a document of the protocol, looked at by the test
  readonly exit?: any
}

/** One connection over which lines are written by hand. */
export class RawClient {
  readonly messages: Array<Message> = []
  closed = false
  private readonly socket: Socket
  private rest = ""
  private nextId = 1

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding("utf8")
    socket.on("data", (text: string) => {
      const lines = (this.rest + text).split("\n")
      this.rest = lines.pop() ?? ""
      for (const line of lines) this.messages.push(JSON.parse(line))
    })
    socket.on("close", () => {
      this.closed = true
    })
    socket.on("error", () => {})
  }

  static async open(
    to: { readonly host: string; readonly port: number } | { readonly path: string }
  ): Promise<RawClient> {
    const socket = connect(to)
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve)
      socket.once("error", reject)
    })
    return new RawClient(socket)
  }

  /** Sends a request and gives its id. */
  send(tag: string, payload: unknown = null): string {
    const id = String(this.nextId++)
    this.write({ _tag: "Request", id, tag, payload, headers: [] })
    return id
  }

  write(message: unknown): void {
    this.socket.write(`${JSON.stringify(message)}\n`)
  }

  of(id: string): ReadonlyArray<Message> {
    return this.messages.filter((message) => message.requestId === id)
  }

  /** The exit of a call, when it is there; chunks are acknowledged meanwhile. */
  async exitOf(id: string): Promise<Message["exit"]> {
    let acknowledged = 0
    await until(
      () => {
        const chunks = this.of(id).filter(({ _tag }) => _tag === "Chunk").length
        for (; acknowledged < chunks; acknowledged++) this.write({ _tag: "Ack", requestId: id })
        return this.of(id).some(({ _tag }) => _tag === "Exit") || this.closed
      },
      () => JSON.stringify(this.messages.slice(-3))
    )
    return this.of(id).find(({ _tag }) => _tag === "Exit")?.exit
  }

  async call(tag: string, payload: unknown = null): Promise<Message["exit"]> {
    return this.exitOf(this.send(tag, payload))
  }

  end(): void {
    this.socket.destroy()
  }
}

/** Holds a port of this machine until the test file is done. */
export const occupied = async (): Promise<{ readonly port: number; readonly server: Server }> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  servers.add(server)
  const address: AddressInfo | string | null = server.address()
  assert.isTrue(typeof address === "object" && address !== null)
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 }
}
