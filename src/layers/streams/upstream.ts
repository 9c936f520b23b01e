/**
 * Keeps the upstream of a topic open: opens it, and again after a pause whenever it ends, fails or falls silent, until the vendor says
 * that there is no use in it.
 *
 * Queueing: one fiber at most works for an upstream, and it ends when the upstream is open: of one that runs there is nothing but its scope. Whatever
 * ends it begins that work anew. What ends it while it is being opened is remembered until it is.
 *
 * Hard cases: what an upstream still tells after it was given up (ignored); an adapter that fails by a defect (it is opened again, and the
 * defect is logged); a vendor that was unregistered (the stream ends, and may be had again); one that opens and sends nothing, again and
 * again (it is given longer each time, up to sixteen times as long, so that a market that sleeps costs few attempts); one that is given up while it is
 * opened (what it had of the vendor by then is given back).
 */
import { Cause, Clock, type Context, Duration, Effect, Exit, Fiber, Random, Scope } from "effect"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { type Adapter, Unavailable, type VendorErrorReason } from "../../services/Adapter.ts"
import type { AdapterRegistryError } from "../../services/AdapterRegistry.ts"
import type { StreamCapability, StreamSink, UpstreamEvent } from "../../services/StreamCapability.ts"
import type { Topic } from "./Topic.ts"

/** Milliseconds before an upstream is opened again. */
export interface ReopenPauses {
  readonly least: number
  readonly most: number
}

/** An adapter that can stream. */
export type Streamer = Adapter & { readonly stream: StreamCapability }

/** How an attempt ended. */
export type Ended = Pick<Extract<UpstreamEvent, { readonly _tag: "Closed" }>, "retryable" | "cause">

const messageOf = (reason: VendorErrorReason): string =>
  reason._tag === "Throttled" ? `throttled for ${Math.ceil(reason.retryAfter / 1_000)} s` : reason.message

/** Only what may pass by itself is tried again. */
const passes = (reason: VendorErrorReason): boolean => reason._tag === "Unavailable" || reason._tag === "Throttled"

/** The sink of one attempt, until it is shut. */
const sinkOf = (topic: Topic): { readonly sink: StreamSink; readonly shut: () => void } => {
  let open = true
  return {
    sink: {
      row: (row) => {
        if (open) topic.row(row)
      },
      rows: (rows) => {
        if (open) topic.rows(rows)
      },
      event: (event) => {
        if (open) topic.event(event)
      },
      waiting: () => topic.waiting
    },
    shut: () => {
      open = false
    }
  }
}

/** Ends when nothing has come for so long. */
const silent = Effect.fnUntraced(function* (topic: Topic, millis: number) {
  const openedAt = yield* Clock.currentTimeMillis
  for (;;) {
    const now = yield* Clock.currentTimeMillis
    const left = Math.max(openedAt, topic.heard.at ?? openedAt) + millis - now
    if (left <= 0) return
    yield* Effect.sleep(Duration.millis(left))
  }
})

/** What upstreams of one MarketStreams share. */
export interface UpstreamContext {
  /** In which the work is done. */
  readonly context: Context.Context<never>
  readonly pauses: ReopenPauses
  /** The vendor of a stream, as it has that. */
  readonly streamer: (key: StreamKey) => Effect.Effect<Streamer, AdapterRegistryError>
}

export interface UpstreamOwner {
  readonly topic: Topic
  /** There is no use in keeping it open any more. */
  readonly over: () => void
}

export class Upstream {
  readonly #shared: UpstreamContext
  readonly #owner: UpstreamOwner
  #work: Fiber.Fiber<void> | null = null
  #working = false
  /** Of the attempt of now. */
  #scope: Scope.Closeable | null = null
  #shut: (() => void) | null = null
  #ended: Ended | null = null
  #opened = false
  #closing = false
  /** Rows there were before this attempt. */
  #rows = 0
  #patience = 1
  #failures = 0

  constructor(shared: UpstreamContext, owner: UpstreamOwner) {
    this.#shared = shared
    this.#owner = owner
  }

  open(): void {
    this.#begin(this.#opening)
  }

  /** The attempt of now has ended. That there is no use in another is heard between attempts, too. */
  end(ended: Ended): void {
    if (this.#ended !== null || (this.#scope === null && (ended.retryable || !this.#working))) return
    this.#ended = ended
    if (!this.#working) this.#begin(this.#reopening)
  }

  /** For good; done when the vendor was told. */
  get close(): Effect.Effect<void> {
    return Effect.uninterruptible(
      Effect.suspend(() => {
        this.#closing = true
        const work = this.#work
        return work === null ? this.#leave : Effect.andThen(Fiber.interrupt(work), this.#leave)
      })
    )
  }

  #begin(work: Effect.Effect<void>): void {
    this.#working = true
    const fiber = Effect.runForkWith(this.#shared.context)(Effect.catchDefect(work, (defect) => this.#broke(defect)))
    if (fiber.pollUnsafe() === undefined) this.#work = fiber
  }

  /** The work itself has failed, so that nobody would open it again: it ends aloud, and whoever comes after has another try. */
  #broke(defect: unknown): Effect.Effect<void> {
    const { kind, vendor } = this.#owner.topic.key
    return Effect.logError(`a stream of ${kind} of ${vendor} failed`, defect).pipe(
      Effect.andThen(this.#leave),
      Effect.andThen(this.#finish(true, "it failed here; the log says how"))
    )
  }

  /** Nothing is left to be done for now. */
  #rest(): void {
    this.#working = false
    this.#work = null
  }

  /** What it had of the vendor is given back; whatever it may still have to say is ignored. */
  get #leave(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const scope = this.#scope
      if (scope === null) return Effect.void
      this.#shut?.()
      this.#scope = null
      this.#shut = null
      return Effect.catchCause(Scope.close(scope, Exit.void), (cause) => this.#failed(cause))
    })
  }

  #failed(cause: Cause.Cause<never>): Effect.Effect<void> {
    if (this.#closing && Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
    return Effect.logError(`the adapter of ${this.#owner.topic.key.vendor} failed`, cause)
  }

  get #opening(): Effect.Effect<void> {
    return Effect.flatMap(Effect.exit(this.#shared.streamer(this.#owner.topic.key)), (found) =>
      Exit.isSuccess(found)
        ? this.#attempt(found.value.stream)
        : this.#finish(true, `vendor ${this.#owner.topic.key.vendor} is not there any more`)
    )
  }

  #attempt(capability: StreamCapability): Effect.Effect<void> {
    const topic = this.#owner.topic
    const scope = Scope.makeUnsafe()
    const { shut, sink } = sinkOf(topic)
    this.#scope = scope
    this.#shut = shut
    this.#ended = null
    this.#opened = false
    this.#rows = topic.heard.rows
    topic.opening()
    return Effect.suspend(() => capability.open(topic.key, sink)).pipe(
      Scope.provide(scope),
      Effect.andThen(Effect.suspend(() => this.#watch(capability, scope))),
      Effect.catchTag("VendorError", ({ reason }) =>
        Effect.sync(() => {
          this.#ended = { retryable: passes(reason), cause: reason }
        })
      ),
      Effect.catchCause((cause) =>
        Effect.map(this.#failed(cause), () => {
          this.#ended = {
            retryable: true,
            cause: new Unavailable({ message: "the adapter failed; the log says how" })
          }
        })
      ),
      Effect.andThen(
        Effect.suspend(() => {
          if (this.#ended !== null) return this.#reopening
          this.#rest()
          return Effect.void
        })
      )
    )
  }

  /** Has it ended when nothing comes for too long. */
  #watch(capability: StreamCapability, scope: Scope.Scope): Effect.Effect<void> {
    this.#opened = true
    const silence = capability.silence(this.#owner.topic.key)
    if (silence === null) return Effect.void
    const millis = silence * this.#patience
    const cause = new Unavailable({ message: `nothing came for ${millis / 1_000} s` })
    return silent(this.#owner.topic, millis).pipe(
      Effect.andThen(Effect.sync(() => this.end({ retryable: true, cause }))),
      Effect.forkIn(scope),
      Effect.asVoid
    )
  }

  /** Each step is the last thing that the one before does, so that a vendor that is away for days costs no more than one that is not. */
  get #reopening(): Effect.Effect<void> {
    return Effect.flatten(
      Effect.gen({ self: this }, function* () {
        const topic = this.#owner.topic
        const { least, most } = this.#shared.pauses
        yield* this.#leave
        const ended = this.#ended
        this.#ended = null
        if (ended === null) return this.#opening
        const { cause, retryable } = ended
        if (!retryable) return this.#finish(false, messageOf(cause))
        const came = topic.heard.rows > this.#rows
        topic.event({ _tag: "Gap", from: null, reason: messageOf(cause) })
        if (this.#opened) this.#patience = came ? 1 : Math.min(16, this.#patience * 2)
        this.#failures = came ? 0 : this.#failures + 1
        const doubled = Math.min(most, least * 2 ** Math.max(0, this.#failures - 1))
        const pause = Math.ceil(doubled * (0.8 + 0.4 * (yield* Random.next)))
        yield* cause._tag === "Throttled"
          ? Effect.sleep(Duration.millis(Math.max(pause, cause.retryAfter)))
          : Effect.raceFirst(Effect.sleep(Duration.millis(pause)), this.#sooner)
        const last = this.#lastWord()
        return last === null ? this.#opening : this.#finish(false, messageOf(last.cause))
      })
    )
  }

  /** Done when the vendor says that another attempt may help by now; never where it does not say so. */
  get #sooner(): Effect.Effect<void> {
    return Effect.flatMap(Effect.exit(this.#shared.streamer(this.#owner.topic.key)), (found) =>
      Exit.isSuccess(found) ? (found.value.stream.reopen ?? Effect.never) : Effect.never
    )
  }

  /** Why there is no use in another attempt, where that was said since the last. */
  #lastWord(): Ended | null {
    return this.#ended
  }

  #finish(retryable: boolean, cause: string): Effect.Effect<void> {
    return Effect.sync(() => {
      this.#owner.topic.close(retryable, cause)
      this.#rest()
      this.#owner.over()
    })
  }
}
