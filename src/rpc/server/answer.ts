import { Cause, Effect, Exit, Result } from "effect"
import { RpcSchema } from "effect/rpc"
import type { InternalError } from "../contract/Border.ts"
import { incident } from "../handlers/incident.ts"
import type { Call } from "./ConnectionCalls.ts"
import * as Procedures from "./Procedures.ts"

type Response =
  | { readonly _tag: "Chunk"; readonly values: ReadonlyArray<unknown> }
  | { readonly _tag: "Exit"; readonly exit: Exit.Exit<unknown, unknown> }

interface Answering {
  readonly server: Procedures.Server
  readonly end: (call: Call) => boolean
}

/** Sends what effect's server has for a call to its client. Of a chunk it is done when the client has room for more. */
export const answer = (call: Call, response: Response, answering: Answering): Effect.Effect<void> =>
  response._tag === "Chunk" ? chunk(call, response.values, answering) : exit(call, response.exit, answering)

const chunk = (call: Call, values: ReadonlyArray<unknown>, { end, server }: Answering): Effect.Effect<void> => {
  const { clientId, connection, procedure } = call
  connection.setWorking(call, false)
  if (clientId === null || call.silent) return Effect.void
  const frame = procedure.chunk(clientId, values)
  if (Result.isFailure(frame)) {
    // The client has its answer then; that effect's server must send none, it learns by the defect. It is the incident itself, by
    // which Border knows that it is logged.
    return Effect.flatMap(failed(call, frame.failure, end), Effect.die)
  }
  const sent = connection.send(frame.success)
  if (connection.transport.acknowledges) return sent
  return Effect.andThen(sent, server.write(connection.id, Procedures.ackOf(call.id)))
}

const exit = (call: Call, exit: Exit.Exit<unknown, unknown>, { end }: Answering): Effect.Effect<void> => {
  const { clientId, connection, procedure } = call
  if (clientId === null || call.silent) return Effect.void
  if (call.discard && Exit.isSuccess(exit)) {
    call.silent = true
    connection.post(procedure.begun(clientId))
    return Effect.void
  }
  if (Exit.isFailure(exit) && isOurMistake(exit.cause)) return Effect.asVoid(failed(call, exit.cause, end))
  const frame = procedure.exit(clientId, exit)
  if (Result.isFailure(frame)) return Effect.asVoid(failed(call, frame.failure, end))
  // Nobody waits for the client here: effect's server sends an exit where it cannot be interrupted, and a client that reads nothing
  // would keep it, and with it the server, from ending. The last word is handed over before the call ends: with its last call an
  // HTTP connection counts as quiet.
  connection.post(frame.success)
  end(call)
  return Effect.void
}

/** A defect; or an interrupt that neither the client nor a shutdown asked for. */
const isOurMistake = (cause: Cause.Cause<unknown>): boolean =>
  Cause.hasDies(cause) ||
  (Cause.hasInterruptsOnly(cause) && !cause.reasons.some((reason) => reason.annotations.has(RpcSchema.ClientAbort.key)))

/** Ends the call with a number under which the log has what happened. */
const failed = (call: Call, what: unknown, end: (call: Call) => boolean): Effect.Effect<InternalError> => {
  const { clientId, connection, procedure } = call
  return Effect.tap(incident(what, { procedure: procedure.tag, peer: connection.transport.peer }), (error) =>
    Effect.sync(() => {
      if (clientId !== null) connection.post(connection.format.borderExit(clientId, error))
      end(call)
    })
  )
}
