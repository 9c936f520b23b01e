/** What the gateway's words do to the state of a session: pure, so that every transition can be read here. */
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import type { Farm, IbkrEvent, IbkrState } from "../../../services/IbkrSession.ts"
import { farmOf, meaningOf } from "./codes.ts"
import type { Word } from "./Link.ts"

type Said = Extract<Word, { readonly _tag: "Said" }>

/** A connection as its gateway describes it. */
export interface Standing {
  readonly farms: ReadonlyArray<Farm>
  /** The gateway's own line to IB is down. */
  readonly upstreamDown: boolean
}

export const atFirst: Standing = { farms: [], upstreamDown: false }

const same = (farm: Farm) => (other: Farm) => other.name === farm.name && other.serves === farm.serves

/** What a gateway is without, by its own word, and why nothing comes then; null where it says nothing of the kind. */
export const lossOf = ({ code, message }: Said): { readonly what: string; readonly why: string } | null => {
  const { kind } = meaningOf(code, message, -1)
  if (kind === "UpstreamLost") return { what: "IB", why: "the gateway has lost its line to IB" }
  const farm = kind === "Farm" ? farmOf(code, message) : null
  if (farm?.state !== "broken" || farm.serves !== "market") return null
  return { what: farm.name, why: `the data farm ${farm.name} is broken` }
}

/** Null: nothing worth telling. A gateway that loses IB says so every minute through a nightly reset: it is told once. */
export const after = (
  standing: Standing,
  { code, message }: Said,
  at: EpochMillis
): { readonly standing: Standing; readonly event: IbkrEvent | null } => {
  const { kind } = meaningOf(code, message, -1)
  switch (kind) {
    case "UpstreamLost":
      return standing.upstreamDown
        ? { standing, event: null }
        : { standing: { ...standing, upstreamDown: true }, event: { _tag: "UpstreamLost", at } }
    case "UpstreamRestored":
      return {
        standing: { ...standing, upstreamDown: false },
        event: { _tag: "UpstreamRestored", at, dataLost: code === 1101 }
      }
    case "Farm": {
      const farm = farmOf(code, message)
      if (farm === null) return { standing, event: null }
      const before = standing.farms.find(same(farm))
      const farms =
        before === undefined ? [...standing.farms, farm] : standing.farms.map((one) => (one === before ? farm : one))
      const event: IbkrEvent | null =
        farm.state === "broken" && before?.state !== "broken"
          ? { _tag: "FarmBroken", at, farm }
          : farm.state === "ok" && before !== undefined && before.state !== "ok"
            ? { _tag: "FarmRestored", at, farm }
            : null
      return { standing: { ...standing, farms }, event }
    }
    default:
      return { standing, event: { _tag: "Notice", at, code, message } }
  }
}

type Connected = Extract<IbkrState, { readonly _tag: "Ready" | "Degraded" }>

/** The state of a connection that stands so. */
export const stateOf = (
  gateway: Omit<Extract<IbkrState, { readonly _tag: "Ready" }>, "_tag" | "farms">,
  { farms, upstreamDown }: Standing
): Connected =>
  upstreamDown || farms.some(({ state }) => state === "broken")
    ? { _tag: "Degraded", ...gateway, farms, upstream: upstreamDown }
    : { _tag: "Ready", ...gateway, farms }
