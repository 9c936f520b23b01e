/** What there is: contracts, option chains, searches, and when something was first traded. */
import { contractDetails, readContract } from "../codec/contract.ts"
import { matching } from "../market/contracts.ts"
import type { Instrument } from "../market/Instrument.ts"
import { message } from "../wire/text.ts"
import type { Connection } from "./Connection.ts"
import { answer, wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"

/** An option chain: the expiries and strikes that options of one underlying have. */
const chain = (connection: Connection, reqId: number, symbol: string, secType: string, conId: number): void => {
  const { universe } = connection.gateway.market
  const options = universe.all.filter(
    (one) => one.secType === "OPT" && one.underlying?.symbol === symbol && one.underlying.secType === secType
  )
  const underlying = options[0]?.underlying
  if (underlying !== undefined && underlying !== null && (conId === 0 || conId === underlying.conId)) {
    const expiries = [...new Set(options.map(({ lastTrade }) => lastTrade))].sort()
    const strikes = [...new Set(options.map(({ strike }) => strike))].sort((a, b) => a - b)
    for (const exchange of ["SMART", "CBOE", "ISE"]) {
      const lists = [expiries.length, ...expiries, strikes.length, ...strikes]
      connection.send(message(75, reqId, exchange, underlying.conId, symbol, "100", ...lists))
    }
  }
  connection.send(message(76, reqId))
}

const kinds = (one: Instrument, all: ReadonlyArray<Instrument>): ReadonlyArray<string> =>
  all.some(({ underlying }) => underlying === one) ? ["OPT"] : []

const search = (connection: Connection, reqId: number, pattern: string): void => {
  const { universe } = connection.gateway.market
  const wanted = pattern.trim().toUpperCase()
  const known = universe.all.filter(({ secType }) => secType === "STK" || secType === "IND")
  const simulated = universe.simulated(wanted)
  const found =
    wanted === ""
      ? []
      : [...known, ...(simulated === null ? [] : [simulated])].filter(
          ({ longName, symbol }) => symbol.startsWith(wanted) || longName.includes(wanted)
        )
  const rows = found.slice(0, 16).flatMap((one) => {
    const derivatives = kinds(one, universe.all)
    const { conId, currency, longName, primaryExchange, secType, symbol } = one
    const contract = [conId, symbol, secType, primaryExchange === "" ? one.exchange : primaryExchange, currency]
    return [...contract, derivatives.length, ...derivatives, longName, ""]
  })
  connection.send(message(79, reqId, Math.min(found.length, 16), ...rows))
}

export const contracts: Handlers = {
  9: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    const spec = readContract(fields)
    fields.flag()
    const idType = fields.text()
    const id = fields.text()
    if (!wasRead(connection, reqId, fields)) return
    const { market, time } = connection.gateway
    const isin = idType === "ISIN" ? market.universe.all.filter((one) => one.isin === id) : null
    const found = isin ?? matching(market.universe, spec)
    answer(connection, "secdefnj", () => {
      if (found.length === 0) {
        connection.error(reqId, 200, "No security definition has been found for the request")
        return
      }
      for (const one of found) connection.send(contractDetails(connection.version, reqId, one, time.now()))
      connection.send(message(52, 1, reqId))
    })
  },
  78: (connection, fields) => {
    const reqId = fields.int()
    const symbol = fields.text()
    fields.text()
    const secType = fields.text()
    const conId = fields.number()
    if (wasRead(connection, reqId, fields))
      answer(connection, "secdefnj", () => chain(connection, reqId, symbol, secType, conId))
  },
  81: (connection, fields) => {
    const reqId = fields.int()
    const pattern = fields.text()
    if (wasRead(connection, reqId, fields)) answer(connection, "secdefnj", () => search(connection, reqId, pattern))
  }
}
