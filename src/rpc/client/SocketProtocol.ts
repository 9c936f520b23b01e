import { Effect, Exit, Layer, Option, Schedule, Schema, Scope, Semaphore } from "effect"
import { RpcClient, RpcClientError, RpcSerialization } from "effect/rpc"
import { Socket } from "effect/socket"
import { BorderError, ProtocolError } from "../contract/Border.ts"
import * as Lanes from "./Lanes.ts"
import { refusedExit } from "./refusedExit.ts"
import { RequestTooLong, withRequestLimit } from "./requestLimit.ts"

type Protocol = RpcClient.Protocol["Service"]
type Deliver = Parameters<Protocol["run"]>[1]

/** One connection: effect's protocol over one socket that is opened once. */
interface Connection {
  readonly protocol: Protocol
  readonly scope: Scope.Closeable
  readonly lanes: ReturnType<typeof Lanes.make>
  /** Of the clients that called over it. */
  readonly clientIds: Set<number>
  /** Calls that were sent and have not ended, by their ids. */
  readonly calls: Map<string | number, { readonly clientId: number; readonly procedure: string }>
  lost: boolean
}

/** A silent server is pinged after this, and given up when it stays silent once more as long: after 4 to 8 seconds. */
const pingInterval = "4 seconds"

/**
 * effect's socket protocol, with a connection that is opened by the call that needs it.
 *
 * Responsibilities: (1) no connection until the first call, one for all calls, and a new one, tried at once, for the first call
 * after it was lost: a client that is idle holds no timer and no retry loop, and a client whose server came back never waits out
 * a backoff; (2) calls in flight on a lost connection, and calls that found no server, fail with RpcClientError; a failed write
 * is one too (effect makes it a defect); (3) a call that is answered slowly, or whose rows are taken slowly, delays no other;
 * (4) a server that refuses the whole connection (TooBusy, ShuttingDown, a line that is TooLong) is lost, and its calls fail with
 * that very error; (5) a call that is longer than servers take fails by itself and is not sent.
 *
 * Queueing: none of its own beyond Lanes. Opening is serialised; calls made meanwhile wait for the same attempt.
 *
 * Hard cases: the loss of a connection is told to every call of it once, before the next connection takes calls, and whatever the
 * lost one says later is dropped, or it would fail calls of its successor. Acks and interrupts never open a connection: what they
 * were for is gone with the old one. The reading fiber cannot close its own scope; closing is forked.
 */
const make = Effect.fnUntraced(function* (
  socket: Effect.Effect<Socket.Socket>,
  write: (clientId: number, message: Parameters<Deliver>[0]) => Effect.Effect<void>
) {
  const serialization = withRequestLimit(yield* RpcSerialization.RpcSerialization)
  const exitOf = refusedExit(serialization.codecFor)
  const scope = yield* Effect.scope
  const opening = Semaphore.makeUnsafe(1)
  let current: Connection | undefined

  const connect = Effect.gen(function* () {
    if (current !== undefined) return current
    const connectionScope = yield* Scope.fork(scope)
    const protocol = yield* RpcClient.makeProtocolSocket({
      pingInterval,
      pingTimeout: pingInterval,
      retryPolicy: Schedule.recurs(0)
    }).pipe(
      Effect.provideServiceEffect(Socket.Socket, socket),
      Effect.provideService(RpcSerialization.RpcSerialization, serialization),
      Scope.provide(connectionScope)
    )
    const lanes = Lanes.make(connectionScope)
    const connection: Connection = {
      protocol,
      scope: connectionScope,
      lanes,
      clientIds: new Set(),
      calls: new Map(),
      lost: false
    }
    current = connection
    return connection
  }).pipe(Effect.uninterruptible, opening.withPermits(1))

  /** Once a connection; `tell` tells its calls why. */
  const drop = (connection: Connection, tell: Effect.Effect<void>): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (connection.lost) return Effect.void
      connection.lost = true
      if (current === connection) current = undefined
      return tell.pipe(
        Effect.andThen(Effect.forkIn(Scope.close(connection.scope, Exit.void), scope)),
        Effect.uninterruptible,
        Effect.asVoid
      )
    })

  const lose = (connection: Connection, error: RpcClientError.RpcClientError): Effect.Effect<void> =>
    drop(
      connection,
      Effect.forEach(connection.clientIds, (clientId) => write(clientId, { _tag: "ClientProtocolError", error }), {
        discard: true
      })
    )

  /** Ends one call with an error that was not said in it. */
  const refuse = (requestId: string | number, clientId: number, procedure: string, error: BorderError) =>
    Option.match(exitOf(procedure, error), {
      onNone: () => write(clientId, { _tag: "ClientProtocolError", error: defect(error.message, error) }),
      onSome: (exit) => write(clientId, { _tag: "Exit", requestId, exit })
    })

  const loseRefused = (connection: Connection, error: BorderError): Effect.Effect<void> =>
    drop(
      connection,
      Effect.suspend(() =>
        Effect.forEach(
          Array.from(connection.calls),
          ([id, { clientId, procedure }]) => refuse(id, clientId, procedure, error),
          { discard: true }
        )
      )
    )

  const receive =
    (connection: Connection, clientId: number): Deliver =>
    (message) => {
      if (connection.lost) return Effect.void
      switch (message._tag) {
        case "ClientProtocolError":
          return lose(connection, message.error)
        case "Exit":
          connection.calls.delete(message.requestId)
          return connection.lanes.follow(message.requestId, write(clientId, message))
        case "Chunk":
          return connection.lanes.follow(message.requestId, write(clientId, message))
        default: {
          const refused = refusal(message)
          if (Option.isNone(refused)) return write(clientId, message)
          const id = refused.value._tag === "ProtocolError" ? refused.value.id : undefined
          if (id === undefined) {
            return isOfConnection(refused.value)
              ? loseRefused(connection, refused.value)
              : lose(connection, defect(refused.value.message, refused.value))
          }
          connection.calls.delete(id)
          const exit = { _tag: "Failure" as const, cause: [{ _tag: "Fail" as const, error: message }] }
          return connection.lanes.follow(id, write(clientId, { _tag: "Exit", requestId: id, exit }))
        }
      }
    }

  const listen = (connection: Connection, clientId: number): Effect.Effect<void> => {
    if (connection.clientIds.has(clientId)) return Effect.void
    connection.clientIds.add(clientId)
    return connection.protocol
      .run(clientId, receive(connection, clientId))
      .pipe(Effect.forkIn(connection.scope, { startImmediately: true }), Effect.asVoid)
  }

  const send = (clientId: number, message: Parameters<Protocol["send"]>[1]): ReturnType<Protocol["send"]> =>
    Effect.suspend(() => {
      if (message._tag !== "Request") {
        if (current === undefined) return Effect.void
        if (message._tag === "Interrupt") current.calls.delete(message.requestId)
        return Effect.ignoreCause(current.protocol.send(clientId, message))
      }
      return Effect.flatMap(current === undefined ? connect : Effect.succeed(current), (connection) => {
        if (connection.lost) return send(clientId, message)
        const { id, tag } = message
        const forgotten = Effect.sync(() => connection.calls.delete(id))
        connection.calls.set(id, { clientId, procedure: tag })
        return Effect.andThen(listen(connection, clientId), connection.protocol.send(clientId, message)).pipe(
          Effect.tapError((error) => lose(connection, error)),
          Effect.catchDefect((cause) =>
            cause instanceof RequestTooLong
              ? Effect.andThen(forgotten, refuse(id, clientId, tag, tooLong(id, cause)))
              : Effect.fail(unsent(cause))
          ),
          Effect.onError(() => forgotten)
        )
      })
    })

  return { supportsAck: true, supportsTransferables: false, codecFor: serialization.codecFor, send }
})

/** What ends all calls of a connection, and is no mistake of the protocol's. */
const isOfConnection = (error: BorderError): boolean =>
  error._tag === "TooBusy" ||
  error._tag === "ShuttingDown" ||
  (error._tag === "ProtocolError" && error.code === "TooLong")

/** `line` 0: it never was one. */
const tooLong = (id: string | number, { message }: RequestTooLong) =>
  new ProtocolError({ code: "TooLong", line: 0, id, message })

/** The answer to a message that belongs to no call, which effect's protocol does not know. */
const refusal = Schema.decodeUnknownOption(Schema.toCodecJson(BorderError))

const defect = (message: string, cause: unknown) =>
  new RpcClientError.RpcClientError({ reason: new RpcClientError.RpcClientDefect({ message, cause }) })

const unsent = (cause: unknown) =>
  Socket.isSocketError(cause)
    ? new RpcClientError.RpcClientError({ reason: cause.reason })
    : defect("the call could not be sent", cause)

/** Over the sockets that the effect makes, each opened at most once. */
export const layer = (
  socket: Effect.Effect<Socket.Socket>
): Layer.Layer<RpcClient.Protocol, never, RpcSerialization.RpcSerialization> =>
  Layer.effect(
    RpcClient.Protocol,
    RpcClient.Protocol.make((write) => make(socket, write))
  )
