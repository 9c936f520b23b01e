/** Headlines, articles, and bulletins of the gateway itself. */
import { articleOf, newsBetween, newsProviders } from "../market/news.ts"
import { message } from "../wire/text.ts"
import { readInstant } from "../wire/zoned.ts"
import { bulletinText } from "./bulletinText.ts"
import { wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"

const mostNews = 300

/** `2026-04-10 14:00:00.0` is how headlines are dated, and also how they may be asked for. */
const newsTime = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}.0`

const dashed = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}:\d{2}:\d{2})(?:\.\d+)?$/

export const news: Handlers = {
  85: (connection) => connection.send(message(85, newsProviders.length, ...newsProviders.flat())),
  84: (connection, fields) => {
    const reqId = fields.int()
    const [provider, id] = [fields.text(), fields.text()]
    if (!wasRead(connection, reqId, fields)) return
    const text = articleOf(provider, id)
    if (text === null) connection.error(reqId, 10172, "Failed to request news article:Article is not available")
    else connection.send(message(83, reqId, 0, text))
  },
  86: (connection, fields) => {
    const reqId = fields.int()
    const conId = fields.int()
    const providers = new Set(fields.text().split("+"))
    const [start, end] = [fields.text(), fields.text()]
    const count = Math.min(mostNews, Math.max(1, fields.number()))
    if (!wasRead(connection, reqId, fields)) return
    const { market, time } = connection.gateway
    const instrument = market.universe.get(conId)
    if (instrument === null) {
      connection.error(reqId, 200, "No security definition has been found for the request")
      return
    }
    const { clock } = instrument.hours
    const utc = (text: string) => text.replace(dashed, "$1$2$3-$4")
    const until = readInstant(utc(end), clock, time.now()) ?? time.now()
    const from = start === "" ? until - 30 * 86_400_000 : (readInstant(utc(start), clock, until) ?? until)
    const found = newsBetween(instrument, from, Math.min(until, time.now() + 1)).filter(({ provider }) =>
      providers.has(provider)
    )
    for (const item of found.slice(-count).toReversed()) {
      connection.send(message(86, reqId, newsTime(item.at), item.provider, item.id, item.headline))
    }
    connection.send(message(87, reqId, found.length > count ? 1 : 0))
  },
  12: (connection, fields) => {
    fields.skip(1)
    const { bulletins } = connection.gateway
    connection.standing.set("bulletins", () => {})
    if (!fields.flag()) return
    for (const [index, text] of bulletins.entries()) connection.send(bulletinText(index + 1, text))
  },
  13: (connection) => {
    connection.standing.delete("bulletins")
  }
}
