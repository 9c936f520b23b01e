import type { StreamKey } from "../../../../domain/streams/StreamKey.ts"
import { type Content, freshness, type RowText } from "./Content.ts"
import { Portfolio } from "./Portfolio.ts"

/** An account, whole in each message: what it holds, and what it has won and lost. */
export const portfolioContent = ({ symbol: account, vendor }: StreamKey): Content => {
  const portfolio = new Portfolio()
  const text: RowText = (dataType, snapshot) => {
    const body = { type: "portfolio", account, vendor, ...portfolio.document, ...(snapshot ? { snapshot: true } : {}) }
    return `${JSON.stringify(body).slice(0, -1)},${freshness(dataType)}}`
  }
  return {
    rows: (event) => {
      portfolio.rows(event)
      return [text]
    },
    word: (stream, event) => (portfolio.word(stream, event) ? text : null),
    latest: () => (portfolio.isEmpty ? null : text)
  }
}
