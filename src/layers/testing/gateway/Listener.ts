/** The port of a simulated gateway: who connects there, and times in which nobody can. */
import { createServer, type Server } from "node:net"
import type { Gateway } from "./Gateway.ts"
import { Connection } from "./serve/Connection.ts"

export class Listener {
  port: number
  /** Done when the port is as it was last told to be. */
  settled: Promise<void> = Promise.resolve()
  private readonly gateway: Gateway
  private readonly host: string
  private server: Server
  private count = 0
  private closed = false

  constructor(gateway: Gateway, host: string, port: number) {
    this.gateway = gateway
    this.host = host
    this.port = port
    this.server = this.make()
  }

  private make(): Server {
    return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const { connections, settings } = this.gateway
      if (connections.size >= settings.quotas.clients) {
        socket.on("error", () => {})
        socket.destroy()
        return
      }
      connections.add(new Connection(this.gateway, socket, ++this.count))
    })
  }

  listen(): Promise<void> {
    const { server } = this
    return new Promise((resolve, reject) => {
      server.once("error", reject)
      server.listen(this.port, this.host, () => {
        server.off("error", reject)
        const address = server.address()
        if (address !== null && typeof address === "object") this.port = address.port
        resolve()
      })
    })
  }

  /** Nobody can connect for so long; who is connected stays. */
  refuse(forMillis: number): void {
    const { server } = this
    const stopped = new Promise<void>((resolve) => {
      if (server.listening) server.close()
      // It is closed to new connections at once; its own "close" comes when the last old one has gone.
      resolve()
    })
    this.settled = this.settled.then(() => stopped)
    const { time } = this.gateway
    time.schedule(time.now() + forMillis, () => {
      this.settled = this.settled.then(async () => {
        if (this.closed || this.server.listening) return
        this.server = this.make()
        await this.listen()
      })
    })
  }

  /** Goes to another port; `told` is called with it before anybody who connects there is served. */
  move(told: (port: number) => void): void {
    const { server } = this
    this.settled = this.settled.then(async () => {
      if (server.listening) server.close()
      if (this.closed) return
      this.port = 0
      this.server = this.make()
      await this.listen()
      told(this.port)
    })
  }

  async close(): Promise<void> {
    this.closed = true
    await this.settled
    this.gateway.time.stop()
    for (const connection of [...this.gateway.connections]) connection.close("cut")
    const { server } = this
    if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
  }
}
