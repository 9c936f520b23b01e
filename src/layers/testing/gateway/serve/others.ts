/** What clients ask for when they start, or seldom: answered with little or nothing. */
import { readContract } from "../codec/contract.ts"
import { priceOf } from "../market/Instrument.ts"
import { message } from "../wire/text.ts"
import { listingFor, wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"

/** Increments of price by the number of a rule; rules have one increment here. */
const rules: Readonly<Record<number, string>> = { 26: "0.01", 32: "0.01", 67: "0.25", 239: "0.00005" }

const exchanges = [
  ["ARCA", "P"],
  ["NASDAQ", "Q"],
  ["BATS", "Z"],
  ["EDGX", "K"],
  ["IEX", "V"],
  ["NYSE", "N"]
] as const

export const others: Handlers = {
  // The level of the server's log, binding of orders, and settings of displays.
  14: () => {},
  15: () => {},
  80: (connection) => {
    const { accounts } = connection.gateway
    connection.send(message(78, accounts.length, ...accounts.flatMap(({ name }) => [name, ""])))
  },
  79: (connection, fields) => connection.send(message(77, fields.int(), 0)),
  104: (connection, fields) => connection.send(message(107, fields.int(), "")),
  83: (connection, fields) => {
    const reqId = fields.int()
    const rows = exchanges.flatMap(([name, letter], index) => [index, name, letter])
    connection.send(message(82, reqId, exchanges.length, ...rows))
  },
  91: (connection, fields) => {
    const rule = fields.int()
    const increment = rules[rule]
    if (increment === undefined) connection.error(-1, 321, `Error validating request.-'cu' : cause - no rule ${rule}`)
    else connection.send(message(93, rule, 1, 0, increment))
  },
  88: (connection, fields) => {
    const reqId = fields.int()
    const spec = readContract(fields)
    fields.skip(1)
    const regular = fields.flag()
    if (!wasRead(connection, reqId, fields)) return
    const listing = listingFor(connection, reqId, spec)
    if (listing === null) return
    const { instrument, tape } = listing
    const now = connection.gateway.time.now()
    const sizes = new Map<number, number>()
    tape.each(now - 86_400_000, now + 1, (at, _bid, _ask, _bidSize, _askSize, price, size) => {
      if (size > 0 && (!regular || instrument.hours.isLiquid(at))) sizes.set(price, (sizes.get(price) ?? 0) + size)
    })
    const rows = [...sizes].sort(([one], [other]) => one - other)
    connection.send(
      message(89, reqId, rows.length, ...rows.flatMap(([price, size]) => [priceOf(instrument, price), size]))
    )
  },
  89: () => {}
}
