/**
 * What becomes of each message of a client: taken, forwarded to effect's server, or refused in words.
 *
 * Responsibilities: reads the message, holds the limits of a connection, decodes the payload, and begins the call. Queueing: one
 * message of a connection at a time; a Request waits while its client does not take what it was sent, and with it all that stands
 * behind it. Acks, Interrupts and Pings that come before it do not wait.
 *
 * Hard cases: a refusal that would be the Exit of a call under way (a repeated id) is a message of its own, or it would end that
 * call. Of a notification nothing is told. Calls whose client hears nothing of their end are ended at their fiber.
 */
import { Cause, Effect, Exit, Metric, Result } from "effect"
import { Headers } from "effect/http"
import type { TenantName } from "../../domain/Tenant.ts"
import { refusals } from "../../services/Metrics.ts"
import { type BorderError, ProtocolError, ShuttingDown, TooBusy, tenantHeader } from "../contract/Border.ts"
import { Caller } from "../handlers/Caller.ts"
import { incident } from "../handlers/incident.ts"
import type { Call, ConnectionCalls } from "./ConnectionCalls.ts"
import { type ClientRequest, decodeMessage } from "./decodeMessage.ts"
import { maxCalls, maxStreams } from "./limits.ts"
import type { MessageFormat } from "./MessageFormat.ts"
import type { Procedure } from "./Procedure.ts"
import * as Procedures from "./Procedures.ts"
import type { Incoming } from "./RpcHost.ts"
import { tenantOf } from "./tenantOf.ts"

export interface Receiving {
  readonly server: Procedures.Server
  readonly procedureOf: (tag: string, format: MessageFormat) => Procedure | null
  readonly nextId: () => number
  /** The tenant that the server was started for. */
  readonly own: TenantName
  readonly isDraining: () => boolean
  readonly begin: (call: Call) => void
  readonly end: (call: Call) => boolean
}

type Message = Extract<Incoming, { _tag: "Message" }>

type Receive = (connection: ConnectionCalls, incoming: Incoming) => Effect.Effect<BorderError | null>

const taken = Effect.succeed(null)

/** Takes in what a client sent; answers with what was refused, or null. */
export const make = (receiving: Receiving): Receive => {
  const begin = makeBegin(receiving)
  return (connection, incoming) =>
    Effect.suspend(() => {
      connection.active()
      const { line } = incoming
      if (incoming._tag === "Refused") return alone(connection, new ProtocolError(refusalOf(incoming)))
      const message = decodeMessage(incoming.value)
      switch (message._tag) {
        case "NoMessage": {
          const { code, id, message: words } = message
          return alone(connection, new ProtocolError({ code, line, message: words, ...(id === null ? {} : { id }) }))
        }
        case "Ping":
          return Effect.as(connection.send(connection.format.frame({ _tag: "Pong" })), null)
        case "Eof":
          connection.endOfInput()
          return taken
        case "Ack":
        case "Interrupt": {
          const call = connection.byClientId.get(message.requestId)
          if (call === undefined) return taken
          const forward = message._tag === "Ack" ? Procedures.ackOf(call.id) : Procedures.interruptOf(call.id)
          return Effect.as(receiving.server.write(connection.id, forward), null)
        }
        case "Request":
          if (connection.ended) return taken
          if (connection.turnstile.hasRoom()) return begin(connection, message, incoming)
          return Effect.andThen(connection.turnstile.pass, begin(connection, message, incoming))
      }
    })
}

const refusalOf = ({ code, line, message }: Extract<Incoming, { _tag: "Refused" }>) => ({ code, line, message })

/** Calls that are refused here never reach the handlers, where calls are counted. */
const counted = (error: BorderError): Effect.Effect<void> =>
  Metric.update(refusals(error._tag === "ProtocolError" ? error.code : error._tag), 1)

const alone = (connection: ConnectionCalls, error: BorderError) =>
  Effect.as(Effect.andThen(counted(error), connection.alone(error)), error)

const makeBegin = (receiving: Receiving) => {
  const { server } = receiving

  /** Why a call cannot begin, or the procedure and its payload. */
  const admit = (
    connection: ConnectionCalls,
    { id, payload, tag }: ClientRequest,
    headers: Headers.Headers,
    incoming: Message
  ) => {
    const { bytes, line } = incoming
    const refused = (code: "UnknownProcedure" | "BadPayload", message: string) =>
      Result.fail<BorderError>(new ProtocolError({ code, line, message, ...(id === null ? {} : { id }) }))
    const procedure = receiving.procedureOf(tag, connection.format)
    if (procedure === null) {
      const name = JSON.stringify(tag.slice(0, 64))
      return refused("UnknownProcedure", `there is no procedure ${name} here; System.hello lists those that are`)
    }
    if (receiving.isDraining()) return Result.fail<BorderError>(new ShuttingDown())
    if (connection.calls.size >= maxCalls)
      return Result.fail<BorderError>(new TooBusy({ limit: "calls", max: maxCalls }))
    if (procedure.isStream && connection.streams >= maxStreams) {
      return Result.fail<BorderError>(new TooBusy({ limit: "streams", max: maxStreams }))
    }
    const tenant = tenantOf(headers[tenantHeader], receiving.own)
    if (Result.isFailure(tenant)) return Result.fail<BorderError>(tenant.failure)
    const decoded = procedure.payload(payload, bytes)
    if (Result.isFailure(decoded)) return refused("BadPayload", decoded.failure)
    return Result.succeed({ procedure, payload: decoded.success, tenant: tenant.success })
  }

  return (connection: ConnectionCalls, request: ClientRequest, incoming: Message): Effect.Effect<BorderError | null> =>
    Effect.suspend(() => {
      const { discard, id, isNotification, tag } = request
      if (id !== null && connection.byClientId.has(id)) {
        const message =
          "a call with this id is under way, and goes on; ids are free again when the call's Exit has come"
        return alone(connection, new ProtocolError({ code: "DuplicateId", line: incoming.line, id, message }))
      }
      const headers =
        request.headers.length === 0
          ? connection.headers
          : Headers.merge(connection.headers, Headers.fromInput(request.headers))
      const admitted = admit(connection, request, headers, incoming)
      if (Result.isFailure(admitted)) {
        const error = admitted.failure
        if (id === null || isNotification) return Effect.as(counted(error), error)
        return Effect.as(
          Effect.andThen(counted(error), connection.send(connection.format.borderExit(id, error))),
          error
        )
      }
      const { payload, procedure, tenant } = admitted.success
      const call: Call = {
        connection,
        id: receiving.nextId(),
        clientId: id,
        procedure,
        tenant,
        silent: isNotification,
        discard,
        working: true
      }
      receiving.begin(call)
      const message = Procedures.requestOf({
        id: call.id,
        tag,
        payload,
        headers,
        ...(isNotification ? { isNotification } : {}),
        ...(discard ? { discard } : {})
      })
      const hears = !isNotification && !discard
      return Effect.as(server.write(connection.id, message, { onRequest: hears ? called(call) : ending(call) }), null)
    })

  /** What runs for a call is told where it came from. */
  function called({ connection: { transport } }: Call) {
    return Effect.provideService(Caller, { transport: transport.kind, peer: transport.peer })
  }

  /** Calls whose client does not hear of their end: it is seen at their fiber. */
  function ending(call: Call) {
    const knowing = called(call)
    return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.onExit(knowing(effect), (exit) => {
        // What was interrupted or refused is no mistake of ours, and Border has its line.
        if (!receiving.end(call) || Exit.isSuccess(exit) || !call.silent || !Cause.hasDies(exit.cause))
          return Effect.void
        const { connection, procedure } = call
        return incident(exit.cause, { procedure: procedure.tag, peer: connection.transport.peer })
      })
  }
}
