import { Cause, Effect, Exit, Result } from "effect"
import { RpcSchema } from "effect/rpc"
import { InternalError } from "../contract/Border.ts"
import type { Call } from "./ConnectionCalls.ts"
import * as Procedures from "./Procedures.ts"

type Response =
  | { readonly _tag: "Chunk"; readonly values: ReadonlyArray<unknown> }
  | { readonly _tag: "Exit"; readonly exit: Exit.Exit<unknown, unknown> }

interface Answering {
  readonly server: Procedures.Server
  readonly end: (call: Call) => boolean
}

/** Sends what effect's server has for a call to its client. Done when the client has room for more. */
export const answer = (call: Call, response: Response, answering: Answering): Effect.Effect<void> =>
  response._tag === "Chunk" ? chunk(call, response.values, answering) : exit(call, response.exit, answering)

const chunk = (call: Call, values: ReadonlyArray<unknown>, { end, server }: Answering): Effect.Effect<void> => {
  const { clientId, connection, procedure } = call
  connection.setWorking(call, false)
  if (clientId === null || call.silent) return Effect.void
  const frame = procedure.chunk(clientId, values)
  if (Result.isFailure(frame)) {
    // The client has its answer then; that effect's server must send none, it learns by the defect.
    return Effect.andThen(failed(call, frame.failure, end), Effect.die("a chunk could not be encoded"))
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
    return connection.send(procedure.begun(clientId))
  }
  if (Exit.isFailure(exit) && isOurMistake(exit.cause)) return failed(call, exit.cause, end)
  const frame = procedure.exit(clientId, exit)
  if (Result.isFailure(frame)) return failed(call, frame.failure, end)
  const sent = connection.send(frame.success)
  end(call)
  return sent
}

/** A defect; or an interrupt that neither the client nor a shutdown asked for. */
const isOurMistake = (cause: Cause.Cause<unknown>): boolean =>
  Cause.hasDies(cause) ||
  (Cause.hasInterruptsOnly(cause) && !cause.reasons.some((reason) => reason.annotations.has(RpcSchema.ClientAbort.key)))

/** Ends the call with a number under which the log has what happened. */
const failed = (call: Call, what: unknown, end: (call: Call) => boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { clientId, connection, procedure } = call
    const incident = crypto.randomUUID().slice(0, 8)
    if (clientId !== null) connection.post(connection.format.borderExit(clientId, new InternalError({ incident })))
    end(call)
    return logIncident(what, { incident, procedure: procedure.tag, peer: connection.transport.peer })
  })

export const logIncident = (what: unknown, about: Record<string, string>): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logError("tapestry.incident", what), about)
