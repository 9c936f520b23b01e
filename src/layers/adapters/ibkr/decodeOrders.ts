/** Orders of which archived frames speak: each as it was described last, with what was said beside it. Pure. */
import { Result } from "effect"
import type { OrderState } from "../../../domain/Order.ts"
import { readAnswer } from "./answerBytes.ts"
import { dateOf, nameOf, rightOf } from "./contractKinds.ts"
import { messageIds, unescaped } from "./frames.ts"
import { numberIn } from "./numbers.ts"

type Fields = ReadonlyArray<string>

const nothing = (order: number | null): OrderState => ({
  order,
  client: null,
  key: null,
  account: null,
  symbol: null,
  side: null,
  quantity: null,
  limit: null,
  status: "Unknown",
  filled: null,
  remaining: null,
  averagePrice: null,
  notes: []
})

/** `fields` begin with the number of the contract. */
const termsOf = (fields: Fields) => {
  const [id = "", symbol = "", secType = "", lastTrade = "", strike, right, , exchange = "", currency = ""] = fields
  const [, tradingClass = symbol, action, quantity, type, limit, , , , account = "", , , key = ""] = fields.slice(9)
  return {
    key: key === "" ? null : key,
    account: account === "" ? null : account,
    symbol: nameOf({
      id,
      symbol,
      secType,
      currency,
      exchange,
      expiry: dateOf(lastTrade),
      right: rightOf(right),
      strike: numberIn(strike),
      tradingClass
    }),
    side: action === "BUY" ? "buy" : "sell",
    quantity: numberIn(quantity),
    limit: type === "LMT" ? numberIn(limit) : null
  } as const
}

const described = (state: OrderState, fields: Fields): OrderState => ({
  ...state,
  ...termsOf(fields.slice(2)),
  client: numberIn(fields[24]) ?? state.client
})

/** What an order is that is over. It has no number any more, and between its terms and its end parts that few orders have: the end is read from the end. */
const completed = (fields: Fields, serverVersion: number): OrderState => {
  const behind = 5 + (serverVersion >= 183 ? 1 : 0) + (serverVersion >= 184 ? 1 : 0)
  const [filled, , , , , , , , status = "Unknown"] = fields.slice(-behind - 9)
  const terms = termsOf(fields.slice(1))
  const had = numberIn(filled)
  return {
    ...nothing(null),
    ...terms,
    status,
    filled: had,
    remaining: had === null || terms.quantity === null ? null : terms.quantity - had
  }
}

const stands = (state: OrderState, fields: Fields): OrderState => {
  const [status = "", filled, remaining, average] = fields.slice(2)
  const had = numberIn(filled)
  return {
    ...state,
    client: numberIn(fields[9]) ?? state.client,
    status,
    filled: had,
    remaining: numberIn(remaining),
    averagePrice: had === null || had === 0 ? null : numberIn(average)
  }
}

/** In the order in which they were first spoken of. Fails with what is wrong with the bytes. */
export const decodeOrders = (payload: Uint8Array): Result.Result<ReadonlyArray<OrderState>, string> =>
  Result.map(readAnswer(payload), ({ messages, serverVersion }) => {
    const states = new Map<string, OrderState>()
    for (const [index, fields] of messages.entries()) {
      const messageId = Number(fields[0])
      if (messageId === messageIds.completedOrder) states.set(`completed ${index}`, completed(fields, serverVersion))
      const isError = messageId === messageIds.error
      if (!isError && messageId !== messageIds.openOrder && messageId !== messageIds.orderStatus) continue
      const order = Number(fields[isError ? 2 : 1])
      // Two clients may have orders of one number; an error does not say whose it means, and comes with one order alone.
      const client = isError ? "" : (fields[messageId === messageIds.openOrder ? 24 : 9] ?? "")
      const known = isError ? [...states.keys()].find((key) => key.startsWith(`${order} `)) : `${order} ${client}`
      const key = known ?? `${order} `
      const state = states.get(key) ?? nothing(order)
      if (isError) {
        states.set(key, { ...state, notes: [...state.notes, `${unescaped(fields[4] ?? "")} (IB's code ${fields[3]})`] })
      } else {
        const early = states.get(`${order} `)
        states.delete(`${order} `)
        const before = early === undefined ? state : { ...state, notes: [...early.notes, ...state.notes] }
        states.set(key, messageId === messageIds.openOrder ? described(before, fields) : stands(before, fields))
      }
    }
    return [...states.values()]
  })
