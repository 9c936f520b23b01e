/** Who a client is, and what it hears first. */
import { message } from "../wire/text.ts"
import type { Connection } from "./Connection.ts"
import type { Handlers } from "./handlers.ts"

const start = (connection: Connection, clientId: number): void => {
  const { gateway } = connection
  const { faults, settings } = gateway
  const taken = [...gateway.connections].some((other) => other !== connection && other.clientId === clientId)
  if (taken || faults.clientIdInUse > 0) {
    if (!taken) faults.clientIdInUse--
    connection.error(-1, 326, "Unable to connect as the client id is already in use. Retry with a unique client id.")
    connection.close("fin")
    return
  }
  if (faults.dropBeforeReady > 0) {
    faults.dropBeforeReady--
    connection.close("fin")
    return
  }
  connection.clientId = clientId
  connection.phase = "ready"
  connection.send(message(15, 1, settings.accounts.join(",")))
  connection.send(message(9, 1, gateway.nextOrderId))
  for (const [code, text] of gateway.greetings()) connection.error(-1, code, text)
}

export const boot: Handlers = {
  71: (connection, fields) => {
    fields.skip(1)
    const clientId = fields.int()
    if (connection.phase !== "versioned" || fields.bad) {
      connection.error(-1, 320, "Error reading request. The client has started already, or said no client id")
      return
    }
    start(connection, clientId)
  },
  49: (connection) => {
    const { faults, time } = connection.gateway
    connection.send(message(49, 1, Math.floor((time.now() + faults.skew) / 1000)))
  },
  17: (connection) => connection.send(message(15, 1, connection.gateway.settings.accounts.join(","))),
  8: (connection) => connection.send(message(9, 1, connection.gateway.nextOrderId)),
  59: (connection, fields) => {
    fields.skip(1)
    const type = fields.int()
    if (type >= 1 && type <= 4) connection.marketDataType = type
    else connection.error(-1, 321, "Error validating request.-'bO' : cause - Market data type must be 1 to 4")
  }
}
