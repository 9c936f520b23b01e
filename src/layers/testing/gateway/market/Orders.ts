/**
 * Orders of the market: at market, and with a limit. One at market is filled by the quote that stands, one with a limit when the quote reaches it; each
 * whole and at once, while there is trade. What is filled changes the account's cash and positions, and so its profit and loss.
 * An order belongs to the client id that placed it and stays when that client goes.
 */
import { cancel, type Task, type VirtualTime } from "../VirtualTime.ts"
import type { Account } from "./Account.ts"
import { priceOf } from "./Instrument.ts"
import type { Listing } from "./Market.ts"

export type OrderStatus = "PreSubmitted" | "Submitted" | "Filled" | "Cancelled"

export interface Order {
  readonly id: number
  readonly clientId: number
  readonly permId: number
  readonly account: Account
  readonly listing: Listing
  readonly isBuy: boolean
  readonly quantity: number
  /** Null: at market. */
  readonly limit: number | null
  readonly reference: string
  /** `DAY` or `GTC`; what is still open stays open either way. */
  readonly timeInForce: string
  status: OrderStatus
  /** When it was filled or cancelled; 0 before. */
  endedAt: number
  /** 0 until it is filled. */
  price: number
  task: Task | null
}

export interface Execution {
  readonly order: Order
  readonly id: string
  readonly at: number
  readonly commission: number
  readonly realized: number
}

/** Milliseconds between two looks at a quote that has not reached a limit. */
const patience = 250

/** A share or contract costs this, an order a dollar at least. */
const commissionOf = ({ listing, quantity }: Order): number =>
  Math.max(1, Math.round(quantity * (listing.instrument.secType === "STK" ? 0.005 : 0.85) * 100) / 100)

export class Orders {
  readonly all = new Map<string, Order>()
  readonly executions: Array<Execution> = []
  private readonly time: VirtualTime
  private readonly changed: (order: Order, execution: Execution | null) => void

  constructor(time: VirtualTime, changed: (order: Order, execution: Execution | null) => void) {
    this.time = time
    this.changed = changed
  }

  get(clientId: number, id: number): Order | null {
    return this.all.get(`${clientId} ${id}`) ?? null
  }

  /** Those that are filled or cancelled. */
  completed(): ReadonlyArray<Order> {
    return [...this.all.values()].filter(({ endedAt }) => endedAt > 0)
  }

  open(): ReadonlyArray<Order> {
    return [...this.all.values()].filter(({ status }) => status === "Submitted" || status === "PreSubmitted")
  }

  place(order: Omit<Order, "endedAt" | "permId" | "price" | "status" | "task">): void {
    const permId = 1_000_000 + this.all.size
    const placed: Order = { ...order, permId, status: "PreSubmitted", endedAt: 0, price: 0, task: null }
    this.all.set(`${order.clientId} ${order.id}`, placed)
    this.look(placed)
  }

  /** False when there is nothing to cancel. */
  cancel(order: Order): boolean {
    if (order.status === "Filled" || order.status === "Cancelled") return false
    cancel(order.task)
    order.status = "Cancelled"
    order.endedAt = this.time.now()
    this.changed(order, null)
    return true
  }

  private look(order: Order): void {
    const { hours } = order.listing.instrument
    const now = this.time.now()
    const live = order.listing.at(now)
    const isOpen = hours.isOpen(now)
    const ticks = order.isBuy ? live.ask : live.bid
    const price = priceOf(order.listing.instrument, ticks)
    const reached = order.limit === null || (order.isBuy ? price <= order.limit : price >= order.limit)
    if (isOpen && reached && !Number.isNaN(price)) {
      this.fill(order, price, now)
      return
    }
    const status = isOpen ? "Submitted" : "PreSubmitted"
    if (order.status !== status || order.task === null) {
      order.status = status
      this.changed(order, null)
    }
    order.task = this.time.schedule(Math.max(live.next, now + patience), () => this.look(order))
  }

  private fill(order: Order, price: number, at: number): void {
    const { account, isBuy, listing, quantity } = order
    const before = account.position(listing.instrument.conId)?.realized ?? 0
    account.trade(listing, isBuy ? quantity : -quantity, price)
    const after = account.position(listing.instrument.conId)?.realized ?? 0
    order.status = "Filled"
    order.endedAt = at
    order.price = price
    const commission = commissionOf(order)
    account.cash = Math.round((account.cash - commission) * 100) / 100
    const id = `${order.permId.toString(16).padStart(8, "0")}.${at.toString(16)}.01.01`
    const execution = { order, id, at, commission, realized: Math.round((after - before) * 100) / 100 }
    this.executions.push(execution)
    this.changed(order, execution)
  }
}
