import type { DataType } from "../../../domain/streams/StreamEvent.ts"
import type { StreamSink } from "../../../services/StreamCapability.ts"
import type { Session } from "./IbkrSessionLive.ts"
import type { LineSpec } from "./LineSpec.ts"
import { vendorReason } from "./reasons.ts"

const dataTypes: Readonly<Record<number, DataType>> = { 1: "live", 2: "frozen", 3: "delayed", 4: "delayed-frozen" }

const second = 1000

/** Where all that happens comes from: the whole second after what the gateway's clock may be at most. */
const surely = (now: number): number => (Math.floor((now + 500) / second) + 1) * second

export interface TellerDeps {
  readonly session: Pick<Session, "vendorNow">
  /** How long the vendor is left alone when it was asked too much. */
  readonly rest: number
}

/** Turns what a subscription hears into what MarketStreams is told; each thing once. */
export interface LineTeller extends Pick<LineSpec, "began" | "broke" | "refused" | "waits"> {
  /** Something came, so that it runs whatever the gateway says. */
  readonly came: () => void
  readonly dataType: (type: number) => void
}

export const lineTeller = ({ rest, session }: TellerDeps, sink: StreamSink): LineTeller => {
  let started = false
  let broken = false
  let told: DataType | null = null
  const began = () => {
    if (!started) sink.event({ _tag: "Started", at: surely(session.vendorNow()) })
    else if (broken) sink.event({ _tag: "Resumed", to: surely(session.vendorNow()) })
    started = true
    broken = false
  }
  return {
    began,
    broke: (reason) => {
      told = null
      if (!started || broken) return
      broken = true
      sink.event({ _tag: "Gap", from: null, reason })
    },
    came: () => {
      if (broken || !started) began()
    },
    waits: (reason, isCrowded = false) => {
      if (started) broken = true
      sink.event({ _tag: "Gap", from: null, reason, waits: isCrowded })
    },
    dataType: (type) => {
      const dataType = dataTypes[type]
      if (dataType === undefined || dataType === told) return
      told = dataType
      sink.event({ _tag: "DataType", dataType })
    },
    refused: (reason) => {
      const cause = vendorReason(reason, rest)
      sink.event({ _tag: "Closed", retryable: cause._tag === "Throttled" || cause._tag === "Unavailable", cause })
    }
  }
}
