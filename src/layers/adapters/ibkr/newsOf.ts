import type { News } from "../../../domain/records/News.ts"

/** In front of a headline IB may write what it is about, its language and scores: `{A:265598:L:en:K:n/a:C:0.98}`. */
const marks = /^(?:\{[^}]*\})+!?\s*/

/** A headline as IB tells it, `at` in milliseconds; null where it is none. */
export const headlineOf = (at: number, id: string, headline: string): News | null => {
  const title = headline.replace(marks, "").trim()
  return title === "" || !Number.isSafeInteger(at)
    ? null
    : { ts: at, id: id === "" ? null : id, title, url: null, sentiment: null }
}

/** A bulletin of IB's own, which has a number of the day and no instant: it is of when it was received. */
export const bulletinOf = (number: number, text: string, exchange: string, received: number): News | null => {
  const title = text.trim()
  const date = new Date(received).toISOString().slice(0, 10)
  return title === ""
    ? null
    : {
        ts: received,
        id: `bulletin ${date} ${exchange === "" ? "IB" : exchange} ${number}`,
        title,
        url: null,
        sentiment: null
      }
}

/** What IB sends again when it is asked again is news once: true for the first of an id, of which so many are remembered. */
export const firstOf = (remembered = 1_000): ((row: News) => boolean) => {
  const ids = new Set<string>()
  return ({ id }) => {
    if (id === null) return true
    if (ids.has(id)) return false
    ids.add(id)
    for (const oldest of ids) {
      if (ids.size <= remembered) break
      ids.delete(oldest)
    }
    return true
  }
}
