/**
 * The seam to effect's RPC server, whose types of a group's procedures can only be known by those who name them: what is not
 * typed there is made safe by the codecs of the same procedures, here.
 */
import { Context, Effect, type Scope, Stream } from "effect"
import { Rpc, type RpcGroup, RpcMessage, type RpcServer } from "effect/rpc"
import type { TenantError } from "../../services/TenantError.ts"
import { Draining } from "../handlers/Draining.ts"
import { LargeAnswer } from "../handlers/LargeAnswer.ts"
import type { Call } from "./ConnectionCalls.ts"
import type { MessageFormat } from "./MessageFormat.ts"
import * as Procedure from "./Procedure.ts"
import type { TenantHandlers } from "./TenantHandlers.ts"

export type Group = RpcGroup.RpcGroup<Rpc.AnyWithProps>
export type Server = RpcServer.RpcServer<Rpc.AnyWithProps>

/** A group whose procedures are known by name only. */
export const erased = <Rpcs extends Rpc.Any>(group: RpcGroup.RpcGroup<Rpcs>): Group => group as unknown as Group

/** A message to effect's server; the payload is what the codec of `tag` decoded. */
export const requestOf = (request: {
  readonly id: number
  readonly tag: string
  readonly payload: unknown
  readonly headers: unknown
  readonly isNotification?: true
  readonly discard?: true
}): RpcMessage.FromClient<Rpc.AnyWithProps> =>
  ({ _tag: "Request", ...request }) as unknown as RpcMessage.FromClient<Rpc.AnyWithProps>

export const ackOf = (id: number): RpcMessage.Ack => ({ _tag: "Ack", requestId: RpcMessage.RequestId(id) })

export const interruptOf = (id: number): RpcMessage.Interrupt => ({
  _tag: "Interrupt",
  requestId: RpcMessage.RequestId(id),
  interruptors: []
})

/** Finds a procedure by its tag, in a format; compiled when it is first called. */
export const make = (group: Group): ((tag: string, format: MessageFormat) => Procedure.Procedure | null) => {
  const known = new Map<MessageFormat, Map<string, Procedure.Procedure>>()
  return (tag, format) => {
    let ofFormat = known.get(format)
    if (ofFormat === undefined) {
      ofFormat = new Map()
      known.set(format, ofFormat)
    }
    const made = ofFormat.get(tag)
    if (made !== undefined) return made
    const rpc = group.requests.get(tag)
    if (rpc === undefined) return null
    const procedure = Procedure.make(rpc, format)
    ofFormat.set(tag, procedure)
    return procedure
  }
}

export interface HandlerOptions {
  readonly callOf: (id: number | string) => Call | undefined
  readonly draining: Effect.Effect<boolean>
  readonly tenants: TenantHandlers
}

/** The handlers of a context, their streams pulled only while their client has room, and told when the server goes down. */
export const gateHandlers = <R>(
  group: Group,
  context: Context.Context<R>,
  { callOf, draining, tenants }: HandlerOptions
): Context.Context<R> => {
  const services = new Map(context.mapUnsafe)
  for (const rpc of group.requests.values()) {
    const entry: Rpc.Handler<string> | undefined = services.get(rpc.key)
    if (entry === undefined) continue
    const handler: typeof entry.handler = (payload, options) => {
      const call = callOf(options.requestId)
      const handled =
        call === undefined || call.tenant === null
          ? entry.handler(payload, options)
          : ofTenant(tenants.of(call.tenant), rpc.key, call.procedure.isStream, payload, options)
      return Rpc.wrapMap(handled, (answer) =>
        call === undefined
          ? answer
          : Effect.isEffect(answer)
            ? Effect.provideService(answer, LargeAnswer, turnOf(call))
            : gated(answer, call)
      ) as ReturnType<typeof entry.handler>
    }
    services.set(rpc.key, { ...entry, handler, context: Context.add(entry.context, Draining, draining) })
  }
  return Context.makeUnsafe(services)
}

type Handle = Rpc.Handler<string>["handler"]
type Answer = Effect.Effect<unknown, unknown> | Stream.Stream<unknown, unknown>

/**
 * The answer of another tenant's handler, which is there for as long as the call goes on. Its services take the place of the server's own;
 * all else that is around the call (its scope, its caller, its name in the log) stays.
 */
const ofTenant = (
  opening: ReturnType<TenantHandlers["of"]>,
  key: string,
  isStream: boolean,
  payload: unknown,
  options: Parameters<Handle>[1]
): ReturnType<Handle> => {
  const answering = Effect.map(opening, ({ handlers, services }): Answer => {
    const entry: Rpc.Handler<string> = Context.getUnsafe(handlers, Context.Service<Rpc.Handler<string>>(key))
    const answer = Rpc.unwrap(entry.handler(payload, options))
    return Effect.isEffect(answer) ? Effect.provideContext(answer, services) : Stream.provideContext(answer, services)
  })
  // Effect's server provides the scope of the call, which its types do not say.
  return (
    isStream
      ? Stream.unwrap(answering as Effect.Effect<Stream.Stream<unknown, unknown>, TenantError, Scope.Scope>)
      : Effect.flatMap(answering, (answer) => answer as Effect.Effect<unknown, unknown>)
  ) as ReturnType<Handle>
}

/** For a call whose answer is large: see LargeAnswer. */
const turnOf = (call: Call): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const { largeAnswers, turnstile } = call.connection
    call.connection.setWorking(call, false)
    return Effect.acquireRelease(largeAnswers.take(1), () => largeAnswers.release(1), { interruptible: true }).pipe(
      Effect.andThen(turnstile.pass),
      Effect.andThen(Effect.sync(() => call.connection.setWorking(call, true)))
    )
  })

const gated = <A, E, R>(stream: Stream.Stream<A, E, R>, call: Call): Stream.Stream<A, E, R> => {
  const { connection } = call
  const working = Effect.sync(() => connection.setWorking(call, true))
  return Stream.transformPull(stream, (pull) =>
    Effect.succeed(
      Effect.suspend(() => {
        connection.setWorking(call, false)
        return Effect.andThen(Effect.andThen(connection.turnstile.pass, working), pull)
      })
    )
  )
}
