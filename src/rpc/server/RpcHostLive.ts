/**
 * One RPC server for the connections of all transports.
 *
 * Responsibilities: reads what clients sent and answers for whatever cannot be served; gives the rest to effect's RPC server,
 * which runs the handlers, one fiber a call; encodes what comes back, in the connection's format; holds the border's limits; and
 * goes down in order.
 *
 * Queueing: none. A call that is over a limit is refused. The next call of a connection begins, and a stream pulls its next
 * chunk, only while its client takes what it is sent (see Turnstile); one chunk of a stream is unacknowledged at most.
 *
 * Hard cases: a client may use an id again as soon as it has the answer, while the fiber of the call still ends: so effect's
 * server knows calls by numbers of ours. A call that is cut off is answered at once and its fiber interrupted; what it still
 * sends finds no call and is dropped.
 */
import { Clock, Duration, Effect, Latch, Layer, Metric, type Scope } from "effect"
import { type Rpc, type RpcGroup, RpcSerialization, RpcServer } from "effect/rpc"
import { connectionsOpen, refusals } from "../../services/Metrics.ts"
import { ShuttingDown } from "../contract/Border.ts"
import { TapestryRpcs } from "../contract/TapestryRpcs.ts"
import { answer } from "./answer.ts"
import { type Call, ConnectionCalls } from "./ConnectionCalls.ts"
import * as idle from "./idleDeadline.ts"
import { drainTime, maxConnections, maxLocalConnections } from "./limits.ts"
import * as MessageFormat from "./MessageFormat.ts"
import * as Procedures from "./Procedures.ts"
import { type Connection, RpcHost, type Transport } from "./RpcHost.ts"
import * as receiving from "./receive.ts"
import * as TenantHandlers from "./TenantHandlers.ts"
import * as Turnstile from "./Turnstile.ts"

const binarySerialization = RpcSerialization.RpcSerialization.pipe(Effect.provide(RpcSerialization.layerSchemaBinary()))

/** By the operating system's clock, since an app that embeds a server may have replaced Effect's by one that stands still. */
const realTime = (time: Duration.Input): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const timer = setTimeout(() => resume(Effect.void), Duration.toMillis(time))
    return Effect.sync(() => clearTimeout(timer))
  })

/** A host for the procedures of any group: tests and benches serve groups of their own. */
export const make: <Rpcs extends Rpc.Any>(
  group: RpcGroup.RpcGroup<Rpcs>,
  tenants?: TenantHandlers.TenantHandlers
) => Effect.Effect<RpcHost["Service"], never, Rpc.ToHandler<Rpcs> | Rpc.Middleware<Rpcs> | Scope.Scope> =
  Effect.fnUntraced(function* <Rpcs extends Rpc.Any>(
    given: RpcGroup.RpcGroup<Rpcs>,
    tenants: TenantHandlers.TenantHandlers = TenantHandlers.none
  ) {
    const group = Procedures.erased(given)
    const clock = yield* Clock.Clock
    const now = () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
    const formatOf = MessageFormat.make(yield* binarySerialization)
    const procedureOf = Procedures.make(group)
    const calls = new Map<number | string, Call>()
    const connections = new Set<ConnectionCalls>()
    const turns = Turnstile.makeTurns()
    const allEnded = Latch.makeUnsafe(true)
    const places = { network: 0, local: 0 }
    let streams = 0
    let ids = 0
    let draining = false

    const nextId = () => {
      ids += 1
      return ids
    }

    const begin = (call: Call) => {
      calls.set(call.id, call)
      call.connection.begin(call)
      if (call.procedure.isStream) streams += 1
      allEnded.closeUnsafe()
    }

    const end = (call: Call): boolean => {
      calls.delete(call.id)
      if (calls.size === 0) allEnded.openUnsafe()
      const ended = call.connection.end(call)
      if (ended && call.procedure.isStream) streams -= 1
      return ended
    }

    const handlers = Procedures.gateHandlers(
      group,
      yield* Effect.context<Rpc.ToHandler<Rpcs> | Rpc.Middleware<Rpcs> | Scope.Scope>(),
      { callOf: (id) => calls.get(id), draining: Effect.sync(() => draining), tenants }
    )
    const server: Procedures.Server = yield* RpcServer.makeNoSerialization(group, {
      disableFatalDefects: true,
      disableTracing: true,
      onFromServer: (response): Effect.Effect<void> => {
        if (response._tag === "ClientEnd") return Effect.void
        if (response._tag === "Defect") return Effect.logError("effect's RPC server failed", response.defect)
        const call = calls.get(response.requestId)
        if (call === undefined) return Effect.void
        return answer(call, response, { server, end })
      }
    }).pipe(Effect.provideContext(handlers))

    const receive = receiving.make({
      server,
      procedureOf,
      nextId,
      own: tenants.own,
      isDraining: () => draining,
      begin,
      end
    })

    const admitTo = (from: keyof typeof places, most: number) =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          if (places[from] >= most) return Effect.as(Metric.update(refusals("TooBusy"), 1), false)
          places[from] += 1
          return Effect.succeed(true)
        }),
        (admitted) =>
          Effect.sync(() => {
            if (admitted) places[from] -= 1
          })
      )
    const admit = admitTo("network", maxConnections)
    const admitLocally = admitTo("local", maxLocalConnections)

    const leave = (connection: ConnectionCalls) =>
      Effect.suspend(() => {
        connections.delete(connection)
        const interrupted = connection.calls.size
        for (const call of [...connection.calls]) end(call)
        const { kind, peer } = connection.transport
        return server
          .disconnect(connection.id)
          .pipe(
            Effect.andThen(Metric.modify(connectionsOpen(kind), -1)),
            Effect.andThen(
              Effect.annotateLogs(Effect.logDebug("tapestry.disconnected"), { transport: kind, peer, interrupted })
            )
          )
      })

    const connect = Effect.fnUntraced(function* (transport: Transport) {
      const admission = transport.kind === "unix" ? admitLocally : admit
      if (transport.admitted !== true && !(yield* admission)) return null
      const context = yield* Effect.context<Scope.Scope>()
      const connection = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const opened = new ConnectionCalls({
            id: nextId(),
            transport,
            format: formatOf(transport.format),
            now,
            turns,
            runFork: Effect.runForkWith(context)
          })
          connections.add(opened)
          return opened
        }).pipe(Effect.tap(Metric.modify(connectionsOpen(transport.kind), 1))),
        leave
      )
      yield* Effect.forkScoped(idle.watch(connection, now))
      const opened: Connection = {
        receive: (incoming) => receive(connection, incoming),
        quiet: connection.quiet
      }
      return opened
    })

    const cutOff = (call: Call): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (!calls.has(call.id)) return Effect.void
        const { connection } = call
        // Before the call ends: with its last call a connection is quiet, and what comes after that is not sent over HTTP.
        if (!call.silent && call.clientId !== null) {
          connection.post(connection.format.borderExit(call.clientId, new ShuttingDown()))
        }
        end(call)
        return server.write(connection.id, Procedures.interruptOf(call.id))
      })

    const drain = Effect.gen(function* () {
      draining = true
      const cuttable = [...calls.values()].filter(({ procedure }) => procedure.onShutdown === "cut")
      yield* Effect.forEach(cuttable, cutOff, { discard: true })
      yield* Effect.raceFirst(Effect.timeoutOption(allEnded.await, drainTime), realTime(drainTime))
      yield* Effect.forEach([...calls.values()], cutOff, { discard: true })
      yield* Effect.forEach([...connections], ({ transport }) => transport.close("the server is shutting down"), {
        concurrency: "unbounded",
        discard: true
      })
    })

    return RpcHost.of({
      admit,
      connect,
      state: Effect.sync(() => ({
        connections: places.network + places.local,
        calls: calls.size,
        streams,
        draining
      })),
      drain
    })
  })

export const layer = (
  tenants: TenantHandlers.TenantHandlers = TenantHandlers.none
): Layer.Layer<
  RpcHost,
  never,
  Rpc.ToHandler<RpcGroup.Rpcs<typeof TapestryRpcs>> | Rpc.Middleware<RpcGroup.Rpcs<typeof TapestryRpcs>>
> =>
  Layer.effect(
    RpcHost,
    Effect.suspend(() => make(TapestryRpcs, tenants))
  )
