/** What a process holds on to, counted so that before and after can be compared. */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import type { Socket } from "node:net"
import { Effect, Metric } from "effect"
import type { GatewaySimulator } from "../../src/layers/testing/gateway/GatewaySimulator.ts"

export interface Inventory {
  /** Of `process.getActiveResourcesInfo()`: how many of each. */
  readonly handles: Readonly<Record<string, number>>
  /** Of every client's socket that is not destroyed: how many listeners for each event. */
  readonly listeners: ReadonlyArray<string>
  /** That run or wait, of all that was begun under `counted`. */
  readonly fibers: number
  /** What the simulator's clients have open, by kind and symbol. */
  readonly requests: ReadonlyArray<string>
}

const tallied = (names: ReadonlyArray<string>): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** Sockets that this process has opened to a port, from now on until the scope closes; and how many fibers run of what is counted. */
export const counting = Effect.gen(function* () {
  const sockets = new Set<Socket>()
  let fibers = 0
  const opened = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket }
    sockets.add(socket)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => subscribe("net.client.socket", opened)),
    () => Effect.sync(() => unsubscribe("net.client.socket", opened))
  )
  const counter: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => {
      fibers++
    },
    recordFiberEnd: () => {
      fibers--
    }
  }
  const forget = () => {
    for (const socket of sockets) {
      // One that is gone must have let go of everybody; what it had is counted until it has.
      if (socket.destroyed && socket.listenerCount("data") === 0) sockets.delete(socket)
    }
  }
  return {
    /** Counts the fibers of this effect and of all that it begins. */
    counted: Effect.provideService(Metric.FiberRuntimeMetrics, counter),
    fibers: () => fibers,
    sockets: () => sockets.size,
    forget,
    take: (gateway: GatewaySimulator): Inventory => {
      forget()
      return {
        handles: tallied(process.getActiveResourcesInfo().filter((name) => name !== "Immediate")),
        listeners: [...sockets].map((socket) =>
          socket
            .eventNames()
            .map((name) => `${String(name)} ${socket.listenerCount(name)}`)
            .toSorted()
            .join(", ")
        ),
        fibers,
        requests: gateway
          .clients()
          .flatMap(({ open, standing }) => [...open.map(({ kind, symbol }) => `${kind} ${symbol}`), ...standing])
          .toSorted()
      }
    }
  }
})
