/** How a simulated gateway is set up. */
import type { Recording } from "./market/RecordedTape.ts"
import type { ScenarioStep } from "./scenario.ts"

/** How much one connection may have open at once, and how fast it may ask. */
export interface Quotas {
  /** Lines of top-of-book data; five-second bars take one, too. */
  readonly lines: number
  readonly depth: number
  readonly tickByTick: number
  /** Requests for history that are not answered yet or keep being updated. */
  readonly openHistory: number
  /** Messages from the client in any second of the machine's clock; a violation is error 100. */
  readonly messagesPerSecond: number
  /** With this many violations the connection is closed. */
  readonly strikes: number
  /** Clients at once. */
  readonly clients: number
  /** Whether the pacing rules for history hold (60 in ten minutes, 6 in two seconds, the same one in 15 seconds). */
  readonly historyPacing: boolean
}

export const usualQuotas: Quotas = {
  lines: 100,
  depth: 3,
  tickByTick: 3,
  openHistory: 50,
  messagesPerSecond: 50,
  strikes: 3,
  clients: 32,
  historyPacing: true
}

/**
 * Who moves the simulated time: `advance` alone (`stepped`, the default), or the machine's clock, `speed` times as fast.
 */
export type GatewayClock = "stepped" | { readonly speed: number }

export interface GatewayOptions {
  /** 1 unless given. What it is and what is asked, and when, decide every byte that is sent. */
  readonly seed?: number
  /** 127.0.0.1 unless given. */
  readonly host?: string
  /** 0, any that is free, unless given. */
  readonly port?: number
  readonly clock?: GatewayClock
  /** When the simulated time begins, in UTC epoch milliseconds: 2026-04-10T14:00:00Z, a Friday on which all is open, unless given. */
  readonly start?: number
  /** `exchange` (default): trade in the hours of the real ones. `always`: around the clock. */
  readonly hours?: "exchange" | "always"
  /** Multiplies how much happens; 1 is about two events a second for a share. */
  readonly activity?: number
  readonly quotas?: Partial<Quotas>
  /** The newest version of the protocol that it speaks, 176 to 193; 193 unless given. */
  readonly version?: number
  /** One or more; `DU1234567` unless given. */
  readonly accounts?: ReadonlyArray<string>
  /** Bytes that a client may leave unread before it is cut off; 8 MiB unless given. */
  readonly sendBuffer?: number
  /** Simulated milliseconds from a request to the answer of history, contracts and searches; 0 unless given. */
  readonly latency?: number
  /** How books are told: rows that are overwritten (`rows`, the default), or rows that are inserted and deleted where they are. */
  readonly depthChanges?: "rows" | "shifts"
  /** What goes wrong, and when. */
  readonly scenario?: ReadonlyArray<ScenarioStep>
  /** Recorded trades of one share, which is traded as they say; time then begins a second before the first of them, unless `start` says otherwise. */
  readonly replay?: Recording
}

export interface Settings {
  readonly depthChanges: "rows" | "shifts"
  readonly seed: number
  readonly version: number
  readonly quotas: Quotas
  readonly accounts: ReadonlyArray<string>
  readonly sendBuffer: number
  readonly latency: number
}

export const oldestVersion = 176
export const newestVersion = 193

export const usualStart = Date.UTC(2026, 3, 10, 14)
