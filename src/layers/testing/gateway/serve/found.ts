import type { Farm } from "../Faults.ts"
import type { ContractSpec } from "../market/contracts.ts"
import { resolve } from "../market/contracts.ts"
import type { Listing } from "../market/Market.ts"
import type { Fields } from "../wire/Fields.ts"
import type { Connection } from "./Connection.ts"

/** What a request is about; null: there is no such thing, and the client has been told. */
export const listingFor = (connection: Connection, reqId: number, spec: ContractSpec): Listing | null => {
  const { market } = connection.gateway
  const found = resolve(market.universe, spec)
  switch (found._tag) {
    case "One":
      return market.listing(found.instrument)
    case "None":
      connection.error(reqId, 200, "No security definition has been found for the request")
      return null
    case "Several":
      connection.error(reqId, 200, "The contract description specified is ambiguous; you must specify more of it")
      return null
  }
}

/** False when a request could not be read: the client has been told. */
export const wasRead = (connection: Connection, reqId: number, fields: Fields): boolean => {
  if (!fields.bad) return true
  connection.error(reqId, 320, "Error reading request. Unable to parse data. Not a number where one has to be")
  return false
}

/** Answers after the gateway's latency, and when the farm is there that knows; a client that has gone gets no answer. */
export const answer = (connection: Connection, farm: Farm, run: () => void): void => {
  const { gateway } = connection
  const ready = () => {
    if (connection.phase === "ready") gateway.whenWhole(farm, run)
  }
  if (gateway.settings.latency === 0) ready()
  else gateway.time.schedule(gateway.time.now() + gateway.settings.latency, ready)
}
