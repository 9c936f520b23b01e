/**
 * One client: its socket, what it has asked for, and what it may be sent.
 *
 * Everything here happens in the turn in which bytes arrive or something is due, so there is nothing to lock. What is sent is gathered in the
 * outbox and handed to the socket when that turn ends; what the client does not take is bounded, and past that bound it is cut
 * off. Hard cases: a client that vanishes while its requests are due (closing stops each of its subscriptions first); faults that
 * change bytes (they act between a message and the outbox, never in who makes it).
 */
import type { Gateway } from "../Gateway.ts"
import { oldestVersion } from "../GatewayOptions.ts"
import { share } from "../market/hash.ts"
import type { ClientSocket } from "../wire/ClientSocket.ts"
import { Fields } from "../wire/Fields.ts"
import { FrameReader } from "../wire/FrameReader.ts"
import { Outbox } from "../wire/Outbox.ts"
import { ascii, message } from "../wire/text.ts"
import { inGmt } from "../wire/zoned.ts"
import { HistoryPacing } from "./HistoryPacing.ts"
import { handlers } from "./handlers.ts"
import type { Subscription } from "./Subscription.ts"

const greetingForm = /^v(\d+)\.\.(\d+)/

export type Phase = "connecting" | "versioned" | "ready" | "closed"

export class Connection {
  readonly gateway: Gateway
  readonly number: number
  readonly outbox: Outbox
  readonly subscriptions = new Map<number, Subscription>()
  /** What has no request id: positions, account updates, bulletins. */
  readonly standing = new Map<string, () => void>()
  /** When ticks of an instrument were asked for last. */
  readonly tickByTickAt = new Map<string, number>()
  readonly historyPacing = new HistoryPacing()
  /** When bars of five seconds were asked for in the last ten minutes. */
  barsAsked: Array<number> = []
  phase: Phase = "connecting"
  clientId = -1
  version = 0
  /** 1 live, 2 frozen, 3 delayed, 4 delayed and frozen. */
  marketDataType = 1
  muted = false
  /** Bytes of the next frame after which it is cut; null: it is whole. */
  cut: { readonly bytes: number; readonly how: "fin" | "rst" } | null = null
  requests = 0
  /** The most requests that came within a second of the machine's clock. */
  peak = 0
  private readonly socket: ClientSocket
  private readonly frames = new FrameReader()
  private readonly arrivals: Array<number> = []
  private strikes = 0
  private held: string | null = null
  private waiting: Array<string> = []

  constructor(gateway: Gateway, socket: ClientSocket, number: number) {
    this.gateway = gateway
    this.number = number
    this.socket = socket
    this.outbox = new Outbox(socket)
    socket.setNoDelay(true)
    socket.on("data", ({ buffer, byteLength, byteOffset }) => this.receive(Buffer.from(buffer, byteOffset, byteLength)))
    // A reset is told by "close", too.
    socket.on("error", () => {})
    socket.on("end", () => this.close("fin"))
    socket.on("close", () => this.closed())
  }

  private receive(chunk: Buffer): void {
    if (this.muted || this.phase === "closed") return
    const { broken, frames } = this.frames.push(chunk)
    for (const frame of frames) {
      if (this.isOpen()) this.take(frame)
    }
    if (broken !== null && this.isOpen()) this.close("fin")
    this.gateway.settle()
  }

  /** Asked anew each time: a request may have closed it. */
  private isOpen(): boolean {
    return this.phase !== "closed"
  }

  private take(frame: Buffer): void {
    if (this.phase === "connecting") this.greet(frame.toString("latin1"))
    else if (this.admits()) handlers.serve(this, new Fields(frame))
  }

  private greet(text: string): void {
    const { faults, settings, time } = this.gateway
    const [, least = "", most = ""] = greetingForm.exec(text) ?? []
    const version = Math.min(settings.version, Number(most))
    if (!(version >= Math.max(oldestVersion, Number(least)))) {
      this.close("fin")
      return
    }
    this.version = version
    this.phase = "versioned"
    const told = faults.versionReplies > 0 ? faults.versionReply : version
    if (faults.versionReplies > 0) faults.versionReplies--
    this.send(message(told, inGmt(time.now())))
  }

  /** Counts a request; false when it came too fast and is left unanswered. */
  private admits(): boolean {
    const { messagesPerSecond, strikes } = this.gateway.settings.quotas
    const now = performance.now()
    const { arrivals } = this
    arrivals.push(now)
    while ((arrivals[0] ?? now) <= now - 1000) arrivals.shift()
    this.requests++
    this.peak = Math.max(this.peak, arrivals.length)
    const { faults } = this.gateway
    const isLeftOut = faults.leftOut > 0
    if (arrivals.length <= messagesPerSecond && !isLeftOut) return true
    arrivals.pop()
    if (isLeftOut) faults.leftOut--
    else this.strikes++
    this.error(-1, 100, "Max rate of messages per second has been exceeded:max=50 rec=51 (1)")
    if (this.strikes >= strikes) this.close("fin")
    return false
  }

  /** Sends a message that answers something. */
  send(text: string): void {
    if (this.phase === "closed" || this.muted) return
    if (this.cut !== null) {
      this.sendPart(text, this.cut)
      return
    }
    this.outbox.frame(text)
    this.gateway.dirty.add(this)
  }

  private sendPart(text: string, { bytes, how }: { readonly bytes: number; readonly how: "fin" | "rst" }): void {
    const payload = Buffer.from(text)
    const whole = Buffer.alloc(4 + payload.length)
    whole.writeUInt32BE(payload.length)
    payload.copy(whole, 4)
    this.cut = null
    this.outbox.raw(whole.subarray(0, Math.min(bytes, whole.length)))
    this.close(how)
  }

  /** Sends what a subscription has to tell, unless something keeps it from doing so. */
  tell(subscription: Subscription, text: string): void {
    const { faults, settings, time } = this.gateway
    if (subscription.silent || !this.gateway.flows(subscription)) return
    if (faults.burstUntil > time.now()) {
      this.waiting.push(text)
      return
    }
    if (this.waiting.length > 0) this.release()
    const { duplicated, outOfOrder } = faults
    const duplicates = duplicated === null || duplicated === subscription.kind ? faults.duplicates : 0
    if (duplicates === 0 && outOfOrder === 0 && this.held === null) {
      this.send(text)
      return
    }
    const { frames } = this.outbox
    if (this.held === null && share(settings.seed, frames, 11) < outOfOrder) {
      this.held = text
      return
    }
    this.send(text)
    if (share(settings.seed, frames, 12) < duplicates) this.send(text)
    if (this.held !== null) this.send(this.held)
    this.held = null
  }

  /** Sends what was held back. */
  release(): void {
    const texts = this.waiting
    this.waiting = []
    for (const text of texts) this.send(text)
  }

  error(reqId: number, code: number, text: string): void {
    this.send(message(4, 2, reqId, code, ascii(text), ""))
  }

  /** False when the id is taken: the client has been told. */
  claims(reqId: number): boolean {
    if (!this.subscriptions.has(reqId)) return true
    this.error(reqId, 322, `Error processing request:-'bH' : cause - Duplicate ticker id`)
    return false
  }

  count(...kinds: ReadonlyArray<Subscription["kind"]>): number {
    let count = 0
    for (const { kind } of this.subscriptions.values()) if (kinds.includes(kind)) count++
    return count
  }

  subscribe(subscription: Subscription): void {
    const { farm, kind, live, reqId } = subscription
    this.subscriptions.set(reqId, subscription)
    // Of quotes it was said before their first figures.
    if (this.gateway.faults.competing && live && farm !== null && kind !== "quote") {
      this.error(reqId, 10197, "No market data during competing live session")
    }
  }

  /** Ends a subscription of this kind; one that there is not is told as 300. */
  unsubscribe(reqId: number, kind: Subscription["kind"]): void {
    const found = this.subscriptions.get(reqId)
    if (found?.kind === kind) {
      found.stop()
      this.subscriptions.delete(reqId)
    } else this.error(reqId, 300, `Can't find EId with tickerId:${reqId}`)
  }

  /** All that it has asked for is over. */
  forget(): void {
    for (const { stop } of this.subscriptions.values()) stop()
    this.subscriptions.clear()
    this.waiting = []
    this.held = null
  }

  /** Hands what was gathered to the socket. */
  flush(): void {
    this.outbox.flush()
    if (this.phase !== "closed" && this.outbox.unsent > this.gateway.sendBuffer) this.close("cut")
  }

  /** `fin`: after what was sent before. `cut`: at once; what the client has not taken is lost. */
  close(how: "fin" | "rst" | "cut"): void {
    if (this.phase === "closed") return
    this.outbox.flush()
    this.ended()
    if (how === "rst") this.socket.resetAndDestroy()
    else if (how === "cut" || this.socket.writableLength > 1_048_576) this.socket.destroy()
    else this.socket.end(() => this.socket.destroy())
  }

  private closed(): void {
    this.ended()
    this.socket.destroy()
  }

  private ended(): void {
    if (this.phase === "closed") return
    this.phase = "closed"
    this.forget()
    for (const stop of this.standing.values()) stop()
    this.standing.clear()
    this.gateway.left(this)
  }

  /** When the socket has taken everything, or the time is up. */
  drained(millis: number): Promise<void> {
    if (this.phase === "closed" || this.socket.writableLength === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.socket.off("drain", done)
        this.socket.off("close", done)
        resolve()
      }
      const timer = setTimeout(done, millis)
      this.socket.once("drain", done)
      this.socket.once("close", done)
    })
  }
}
