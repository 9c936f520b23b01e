/** Headlines about what a market lists: which, and when, follows from the seed. */
import { mix } from "./hash.ts"
import type { Instrument } from "./Instrument.ts"

export interface NewsItem {
  readonly at: number
  readonly provider: string
  readonly id: string
  readonly headline: string
}

export const newsProviders = [
  ["BRFG", "Briefing.com General Market Columns"],
  ["BRFUPDN", "Briefing.com Analyst Actions"],
  ["DJNL", "Dow Jones Newsletters"]
] as const

const period = 1_200_000

const subjects = [
  "reports orders above its forecast",
  "names a new head of finance",
  "is raised by an analyst",
  "is lowered by an analyst",
  "opens a plant ahead of plan",
  "buys back shares"
] as const

const itemOf = (one: Instrument, cell: number): NewsItem | null => {
  const luck = mix(one.seed, cell, 77)
  if (luck % 3 !== 0) return null
  const [provider] = newsProviders[(luck >>> 8) % newsProviders.length] ?? newsProviders[0]
  const name = one.longName === "" ? one.symbol : one.longName
  return {
    at: cell * period + ((luck >>> 4) % period),
    provider,
    id: `${provider}$${one.conId.toString(16)}${cell.toString(16)}`,
    headline: `{A:${one.conId}:L:en}${name} ${subjects[(luck >>> 12) % subjects.length]}`
  }
}

/** Those of [from, to), ascending. */
export const newsBetween = (one: Instrument, from: number, to: number): ReadonlyArray<NewsItem> => {
  const items: Array<NewsItem> = []
  for (let cell = Math.floor(from / period); cell * period < to; cell++) {
    const item = itemOf(one, cell)
    if (item !== null && item.at >= from && item.at < to) items.push(item)
  }
  return items
}

/** The next after an instant. */
export const newsAfter = (one: Instrument, at: number): NewsItem => {
  for (let cell = Math.floor(at / period); ; cell++) {
    const item = itemOf(one, cell)
    if (item !== null && item.at > at) return item
  }
}

const articleId = /^(\w+)\$([0-9a-f]+)$/

/** The text of an article; null: there is none of that name. */
export const articleOf = (provider: string, id: string): string | null =>
  articleId.exec(id)?.[1] === provider ? `<p>Simulated article ${id}. Nothing of it has happened.</p>` : null
