/** Which request is served by whom, by the number of its message. */
import type { Fields } from "../wire/Fields.ts"
import { accounts } from "./accounts.ts"
import { boot } from "./boot.ts"
import type { Connection } from "./Connection.ts"
import { contracts } from "./contracts.ts"
import { depth } from "./depth.ts"
import { historicalTicks } from "./historicalTicks.ts"
import { history } from "./history.ts"
import { news } from "./news.ts"
import { orders } from "./orders.ts"
import { others } from "./others.ts"
import { quotes } from "./quotes.ts"
import { realTimeBars } from "./realTimeBars.ts"
import { tickByTick } from "./tickByTick.ts"

export type Handler = (connection: Connection, fields: Fields) => void
export type Handlers = Readonly<Record<number, Handler>>

const all: Handlers = {
  ...boot,
  ...contracts,
  ...quotes,
  ...tickByTick,
  ...depth,
  ...realTimeBars,
  ...history,
  ...historicalTicks,
  ...accounts,
  ...news,
  ...orders,
  ...others
}

const serve: Handler = (connection, fields) => {
  const id = fields.int()
  const handler = all[id]
  // Before it has said who it is a client can say nothing else.
  if (connection.phase !== "ready" && id !== 71) return
  if (handler === undefined) {
    connection.error(-1, 505, `Fatal Error: Unknown message id.: ${id}`)
    return
  }
  handler(connection, fields)
}

export const handlers = { serve }
