/**
 * The topics that are open, by key, with what serves them: from the first who wants one until some time after the last has left.
 *
 * Responsibilities: who uses a topic and for how long it is kept; what a topic has others do (its upstream, the rows of its gaps, jobs). Nothing here
 * waits: a topic is there as soon as it is asked for, and its upstream is opened by a fiber of its own, in the context of the layer and not of who happened to
 * ask first.
 *
 * Hard cases: one that is wanted while it lingers (the same upstream goes on); one that has ended for good while somebody has it (whoever comes after has
 * another, and both are among the states); the layer's end while somebody has it (told Closed, and that another attempt may succeed), or while it is being
 * closed (the layer ends when that is done, so that nothing of a vendor or of the archive is used after its end).
 *
 * An idle stream is what most are most of the time, so it costs few objects: none of them holds a fiber, a span or the context of a caller.
 */
import { Cause, Duration, Effect, Fiber } from "effect"
import type { JobSpec } from "../../domain/Job.ts"
import type { LifecycleEvent } from "../../domain/streams/StreamEvent.ts"
import { canonical, type StreamKey } from "../../domain/streams/StreamKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { Rejected } from "../../services/Adapter.ts"
import type { StreamHistory, UpstreamEvent } from "../../services/StreamCapability.ts"
import { type RepairBounds, type RepairDeps, repair } from "./repair.ts"
import { jobOf } from "./repairJob.ts"
import { logDropped, logOf, logSlow } from "./streamLog.ts"
import type { Tally } from "./Tally.ts"
import { Topic } from "./Topic.ts"
import type { TopicDuties, TopicShared } from "./topicParts.ts"
import { type Streamer, Upstream, type UpstreamContext, type UpstreamOwner } from "./upstream.ts"

/** What topics of one MarketStreams share. */
export interface TopicsContext extends TopicShared, UpstreamContext {
  readonly repairs: RepairDeps
  readonly bounds: RepairBounds
  /** How long a topic is kept that nobody has any more, in milliseconds. */
  readonly linger: number
  /** Has something said in the log, and does not wait for it. */
  readonly log: (line: Effect.Effect<void>) => void
  /** Has a job queued, and does not wait for it. */
  readonly enqueue: (job: JobSpec) => void
}

/** A consumer that is too slow drops rows at every turn: that it does is said no more often than this. Milliseconds. */
const quietFor = 60_000

class OpenTopic implements TopicDuties, UpstreamOwner {
  readonly name: string
  readonly topic: Topic
  readonly #topics: OpenTopics
  readonly #adapter: Streamer
  readonly #history: StreamHistory | null
  readonly #upstream: Upstream
  #filling: Fiber.Fiber<void> | null = null
  /** Rows of which nobody was told yet that they were dropped, and when that was said last. */
  #dropped = 0
  #droppedAt = Number.NEGATIVE_INFINITY
  users = 0
  /** Waits until it has lingered long enough. */
  lingering: Fiber.Fiber<void> | null = null

  constructor(topics: OpenTopics, name: string, key: StreamKey, adapter: Streamer, tally: Tally) {
    const { shared } = topics
    this.name = name
    this.#topics = topics
    this.#adapter = adapter
    this.#history = adapter.stream.history(key)
    this.topic = new Topic(shared, key, { history: this.#history, lateness: adapter.stream.lateness, tally }, this)
    this.#upstream = new Upstream(shared, this)
  }

  open(): void {
    this.#upstream.open()
  }

  fill(range: TimeRange): void {
    const history = this.#history
    if (history === null || history._tag === "told") return
    this.stopFilling()
    const { bounds, context, repairs } = this.#topics.shared
    const { topic } = this
    const fill = repair(repairs, this.#adapter, topic.key, history, range, topic.forgotten + 1, bounds)
    this.#filling = Effect.runForkWith(context)(
      Effect.scoped(
        Effect.map(fill, (filled) => {
          this.#filling = null
          topic.filled(filled)
        })
      ).pipe(
        // A gap that nobody tells the end of would hold its stream's rows for ever.
        Effect.catchCause((cause) =>
          Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause) : Effect.sync(() => topic.broke(Cause.squash(cause)))
        )
      )
    )
  }

  stopFilling(): void {
    this.#filling?.interruptUnsafe()
    this.#filling = null
  }

  later(range: TimeRange): string | null {
    const { key } = this.topic
    if (this.#history === null || this.#adapter.stream.series(key) === null) return null
    const job = jobOf(key, range)
    this.#topics.shared.enqueue(job)
    return job.key
  }

  broke(defect: unknown): void {
    const { kind, vendor } = this.topic.key
    this.#topics.shared.log(Effect.logError(`a stream of ${kind} of ${vendor} failed`, Cause.die(defect)))
    const cause = new Rejected({ message: "what it sent could not be worked off" })
    this.#upstream.end({ cause, retryable: false })
  }

  ended({ cause, retryable }: Extract<UpstreamEvent, { readonly _tag: "Closed" }>): void {
    this.#upstream.end({ cause, retryable })
  }

  over(): void {
    this.#topics.over(this)
  }

  get #connection(): number | null {
    return this.#adapter.stream.connection?.() ?? null
  }

  said(event: LifecycleEvent): void {
    // That nobody wants it any more, and that the process ends, is no news.
    if (event._tag === "Closed" && (this.users === 0 || this.#topics.isClosed)) return
    const line = logOf(this.topic.key, event, this.#connection)
    if (line !== null) this.#topics.shared.log(line)
  }

  dropped(rows: number): void {
    this.#dropped += rows
    const now = this.#topics.shared.now()
    if (now - this.#droppedAt < quietFor) return
    this.#topics.shared.log(logDropped(this.topic.key, this.#dropped, this.#connection))
    this.#dropped = 0
    this.#droppedAt = now
  }

  slow(waiting: number): void {
    this.#topics.shared.log(logSlow(this.topic.key, waiting, this.#connection))
  }

  /** Ends it for all who have it; done when the vendor was told, and nothing is fetched for it any more. */
  get close(): Effect.Effect<void> {
    return Effect.andThen(
      this.#upstream.close,
      Effect.suspend(() => {
        const filling = this.#filling
        this.topic.close(true, "nobody keeps this stream open any more")
        this.stopFilling()
        return filling === null ? Effect.void : Fiber.interrupt(filling)
      })
    )
  }
}

export class OpenTopics {
  readonly shared: TopicsContext
  readonly #open = new Map<string, OpenTopic>()
  /** Those that have ended while somebody had them. */
  readonly #ended = new Set<OpenTopic>()
  /** What closes those that nobody has any more. */
  readonly #closing = new Set<Fiber.Fiber<void>>()
  #closed = false

  constructor(shared: TopicsContext) {
    this.shared = shared
  }

  get isClosed(): boolean {
    return this.#closed
  }

  get topics(): ReadonlyArray<Topic> {
    return [...this.#open.values(), ...this.#ended].map(({ topic }) => topic)
  }

  /** The topic of a key, which is to be let go of as often as it was had. */
  use(key: StreamKey, adapter: Streamer, tally: Tally): OpenTopic {
    const name = canonical(key)
    const known = this.#open.get(name)
    const one = known ?? new OpenTopic(this, name, key, adapter, tally)
    one.users++
    one.lingering?.interruptUnsafe()
    one.lingering = null
    if (known === undefined) {
      this.#open.set(name, one)
      one.open()
    }
    return one
  }

  letGo(one: OpenTopic): void {
    one.users--
    if (one.users > 0 || this.#closed) return
    if (this.#ended.delete(one)) {
      this.#dispose(one)
      return
    }
    const lingered = Effect.sync(() => this.#forget(one))
    one.lingering = Effect.runForkWith(this.shared.context)(
      Effect.andThen(Effect.sleep(Duration.millis(this.shared.linger)), lingered)
    )
  }

  #forget(one: OpenTopic): void {
    if (this.#open.get(one.name) === one) this.#open.delete(one.name)
    one.lingering = null
    this.#dispose(one)
  }

  /** It is nobody's, so that a fiber of its own closes it, which who wants another one of its key does not interrupt. */
  #dispose(one: OpenTopic): void {
    const fiber = Effect.runForkWith(this.shared.context)(one.close)
    if (fiber.pollUnsafe() !== undefined) return
    this.#closing.add(fiber)
    fiber.addObserver(() => this.#closing.delete(fiber))
  }

  /** Whoever comes after its last word has another try. */
  over(one: OpenTopic): void {
    if (this.#open.get(one.name) !== one) return
    this.#open.delete(one.name)
    if (one.users > 0) this.#ended.add(one)
  }

  /** All of them, for good. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#closed = true
      const all = [...this.#open.values(), ...this.#ended]
      for (const { lingering } of all) lingering?.interruptUnsafe()
      this.#open.clear()
      this.#ended.clear()
      return Effect.andThen(
        Effect.forEach(all, ({ close }) => close, { discard: true }),
        Effect.suspend(() => Fiber.awaitAll([...this.#closing]))
      ).pipe(Effect.asVoid)
    })
  }
}
