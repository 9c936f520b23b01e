/** What the connections of one simulated gateway share: its time, its market, what is wrong with it, and who is there. */

import { openOrderText } from "./codec/orders.ts"
import { FaultState } from "./FaultState.ts"
import type { Farm } from "./Faults.ts"
import type { Settings } from "./GatewayOptions.ts"
import { Account } from "./market/Account.ts"
import type { SecType } from "./market/Instrument.ts"
import type { Market } from "./market/Market.ts"
import { type Execution, type Order, Orders } from "./market/Orders.ts"
import { bulletinText } from "./serve/bulletinText.ts"
import type { Connection } from "./serve/Connection.ts"
import { commissionText, executionText, statusText } from "./serve/orders.ts"
import type { Subscription } from "./serve/Subscription.ts"
import { VirtualTime } from "./VirtualTime.ts"

/** Where data of a kind comes from. */
export const farmOf = (secType: SecType): Farm =>
  secType === "FUT" ? "usfuture" : secType === "CASH" ? "cashfarm" : "usfarm"

const marketFarms = ["usfuture", "cashfarm", "usfarm"] as const

export class Gateway {
  readonly settings: Settings
  readonly time: VirtualTime
  readonly market: Market
  readonly accounts: ReadonlyArray<Account>
  readonly orders: Orders
  readonly faults = new FaultState()
  readonly connections = new Set<Connection>()
  /** Who has something gathered that its socket has not been given. */
  readonly dirty = new Set<Connection>()
  sendBuffer: number
  nextOrderId = 1
  readonly bulletins: Array<string> = []
  private readonly onTrades = new Set<() => void>()
  private waiting: Array<{ readonly farm: Farm; readonly run: () => void }> = []

  constructor(settings: Settings, market: Market, start: number, speed: number) {
    this.settings = settings
    this.market = market
    this.sendBuffer = settings.sendBuffer
    this.time = new VirtualTime(start, speed, () => this.settle())
    this.orders = new Orders(this.time, (order, execution) => this.ordered(order, execution))
    this.accounts = settings.accounts.map((name, index) => new Account(name, settings.seed + index, market, start))
  }

  /** Gives the sockets what was gathered for them. */
  settle(): void {
    for (const connection of this.dirty) connection.flush()
    this.dirty.clear()
  }

  /** Whether live data of a subscription comes through. */
  flows({ farm, live, symbol }: Subscription): boolean {
    if (farm === null) return true
    const { broken, competing, denied, upstreamLost } = this.faults
    if (upstreamLost || (broken.size > 0 && broken.has(farm))) return false
    return !live || (!competing && (denied.size === 0 || !denied.has(symbol)))
  }

  /** Tells everyone who is ready. */
  broadcast(code: number, text: string): void {
    for (const connection of this.connections) if (connection.phase === "ready") connection.error(-1, code, text)
  }

  /** What a connection hears of the farms when it is ready. */
  greetings(): ReadonlyArray<readonly [code: number, text: string]> {
    const { broken, upstreamLost } = this.faults
    const market = marketFarms.map((farm) =>
      broken.has(farm)
        ? ([2103, `Market data farm connection is broken:${farm}`] as const)
        : ([2104, `Market data farm connection is OK:${farm}`] as const)
    )
    return [
      ...(upstreamLost
        ? [
            [
              2110,
              "Connectivity between Trader Workstation and server is broken. It will be restored automatically."
            ] as const
          ]
        : []),
      ...market,
      broken.has("ushmds")
        ? [2105, "HMDS data farm connection is broken:ushmds"]
        : [2106, "HMDS data farm connection is OK:ushmds"],
      broken.has("secdefnj")
        ? [2157, "Sec-def data farm connection is broken:secdefnj"]
        : [2158, "Sec-def data farm connection is OK:secdefnj"]
    ]
  }

  /** Runs now, or when a farm is back that is away. */
  whenWhole(farm: Farm, run: () => void): void {
    if (this.faults.broken.has(farm) || this.faults.upstreamLost) this.waiting.push({ farm, run })
    else run()
  }

  /** Something is back: who waited for it may go on. */
  mended(): void {
    const { waiting } = this
    this.waiting = []
    for (const { farm, run } of waiting) this.whenWhole(farm, run)
  }

  /** Calls this when positions have changed, until what it returns is called. */
  onTrade(run: () => void): () => void {
    this.onTrades.add(run)
    return () => {
      this.onTrades.delete(run)
    }
  }

  /** Tells the client of an order how it stands, and everybody who follows positions when they have changed. */
  private ordered(order: Order, execution: Execution | null): void {
    for (const connection of this.connections) {
      if (connection.phase !== "ready" || connection.clientId !== order.clientId) continue
      connection.send(openOrderText(connection.version, order))
      connection.send(statusText(order))
      if (execution === null) continue
      connection.send(executionText(connection.version, -1, execution))
      connection.send(commissionText(execution))
    }
    if (execution !== null) for (const run of this.onTrades) run()
  }

  /** To whoever subscribed to bulletins, and kept for those who ask for earlier ones. */
  bulletin(text: string): void {
    this.bulletins.push(text)
    for (const connection of this.connections) {
      if (connection.standing.has("bulletins")) connection.send(bulletinText(this.bulletins.length, text))
    }
  }

  left(connection: Connection): void {
    this.connections.delete(connection)
    this.dirty.delete(connection)
  }

  account(name: string): Account | null {
    const [first] = this.accounts
    if (name === "" || name === "All") return first ?? null
    return this.accounts.find((one) => one.name === name) ?? null
  }
}
