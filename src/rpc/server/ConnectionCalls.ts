import { Effect, Fiber, Latch, Semaphore } from "effect"
import { Headers } from "effect/http"
import type { TenantName } from "../../domain/Tenant.ts"
import type { BorderError } from "../contract/Border.ts"
import type { CallId } from "./decodeMessage.ts"
import type { Frame, MessageFormat } from "./MessageFormat.ts"
import type { Procedure } from "./Procedure.ts"
import type { Transport } from "./RpcHost.ts"
import * as Turnstile from "./Turnstile.ts"

/** A call that is under way. */
export interface Call {
  readonly connection: ConnectionCalls
  /** The server's own number of it; what a client calls its calls is known to no one else. */
  readonly id: number
  readonly clientId: CallId | null
  readonly procedure: Procedure
  /** Whose call it is; null: that of the server. */
  readonly tenant: TenantName | null
  /** Whether the client hears no more of it: a notification, or a discarded call that has begun. */
  silent: boolean
  readonly discard: boolean
  /** False while it waits for its client: for room, or for an Ack. */
  working: boolean
}

export interface ConnectionOptions {
  readonly id: number
  readonly transport: Transport
  readonly format: MessageFormat
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  readonly turns: Turnstile.Turns
  readonly runFork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}

/**
 * What one connection has open, and the way to its client.
 *
 * Responsibilities: the calls that are under way, by our numbers and by the client's; which of them are worked on, for the idle
 * deadline; and the writes. Every change is synchronous, so there is no state in between for others to see.
 *
 * Queueing: none here. What waits for the client to take what it was sent waits at the turnstile; large answers wait for each other.
 *
 * Hard cases: a call ends once, whoever comes first (its answer, a cut, the connection's end). The connection is quiet only when its
 * last call has ended and all that was written is taken, so the last word of a call is written before the call ends.
 */
export class ConnectionCalls {
  readonly id: number
  readonly transport: Transport
  readonly format: MessageFormat
  /** Of the HTTP request or upgrade; they hold for every call. */
  readonly headers: Headers.Headers
  readonly calls = new Set<Call>()
  readonly byClientId = new Map<CallId, Call>()
  readonly turnstile: Turnstile.Turnstile
  /** For who answers at length, one at a time. */
  readonly largeAnswers = Semaphore.makeUnsafe(1)
  streams = 0
  /** Calls that do not wait for their client. */
  working = 0
  /** When the last whole message came, or the last work was done. */
  activeAt: number
  /** The client has said that it sends no more; what is under way goes on. */
  ended = false
  private readonly options: ConnectionOptions
  private readonly quietLatch = Latch.makeUnsafe(true)

  constructor(options: ConnectionOptions) {
    this.options = options
    this.id = options.id
    this.transport = options.transport
    this.format = options.format
    this.headers = Headers.fromInput(options.transport.headers)
    this.activeAt = options.now()
    this.turnstile = Turnstile.make(options.turns, () => this.onLess())
  }

  /** Done when no call is under way and all that was written is taken. */
  get quiet(): Effect.Effect<void> {
    return this.quietLatch.await
  }

  active(): void {
    this.activeAt = this.options.now()
  }

  begin(call: Call): void {
    this.calls.add(call)
    if (call.clientId !== null) this.byClientId.set(call.clientId, call)
    if (call.procedure.isStream) this.streams += 1
    this.working += 1
    this.quietLatch.closeUnsafe()
  }

  /** False when it has ended already. */
  end(call: Call): boolean {
    if (!this.calls.delete(call)) return false
    if (call.clientId !== null) this.byClientId.delete(call.clientId)
    if (call.procedure.isStream) this.streams -= 1
    this.setWorking(call, false)
    this.onLess()
    return true
  }

  setWorking(call: Call, working: boolean): void {
    if (call.working === working) return
    call.working = working
    this.working += working ? 1 : -1
    if (this.working === 0) this.active()
  }

  /**
   * Hands a frame to the transport at once, and is done when the client has room again. Interrupting it does not take the frame
   * back, nor does room come sooner.
   */
  send(frame: Frame): Effect.Effect<void> {
    const writing = this.write(frame)
    return writing === null ? Effect.void : Effect.asVoid(Fiber.await(writing))
  }

  /** Hands a frame to the transport and waits for nothing: for the last word of a call. */
  post(frame: Frame): void {
    this.write(frame)
  }

  alone(error: BorderError): Effect.Effect<void> {
    return this.send(this.format.alone(error))
  }

  endOfInput(): void {
    this.ended = true
    this.onLess()
  }

  /** Null when the client has room for more. */
  private write(frame: Frame): Fiber.Fiber<void> | null {
    const writing = this.options.runFork(this.transport.write(frame))
    if (writing.pollUnsafe() !== undefined) return null
    this.turnstile.sent()
    this.quietLatch.closeUnsafe()
    writing.addObserver(() => this.turnstile.taken())
    return writing
  }

  private onLess(): void {
    if (this.calls.size > 0 || !this.turnstile.hasRoom()) return
    this.quietLatch.openUnsafe()
    if (this.ended) this.options.runFork(this.transport.close("the client has sent all, and has its answers"))
  }
}
