/** The chain behind a row as text, from the value back to the bytes. */
import { isIntraday } from "../../domain/Timeframe.ts"
import type { Receipt } from "../../services/StitchingCache.ts"
import { titleOf } from "../flags/SeriesFlags.ts"
import type { Style } from "../terminal/Style.ts"
import { oneLine } from "../terminal/Style.ts"
import { bytes, decimal, duration, grouped } from "./Numbers.ts"
import { wrap } from "./wrap.ts"
import { brief } from "./ZonedTime.ts"

const label = (style: Style, text: string) => style.dim(text.padEnd(10))

const bar = ({ bar }: Receipt): string =>
  [
    `open ${decimal(bar.open)}`,
    `high ${decimal(bar.high)}`,
    `low ${decimal(bar.low)}`,
    `close ${decimal(bar.close)}`,
    ...(bar.volume === null ? [] : [`volume ${grouped(bar.volume)}`]),
    ...(bar.vwap === null ? [] : [`vwap ${decimal(bar.vwap)}`]),
    ...(bar.count === null ? [] : [`trades ${grouped(bar.count)}`])
  ].join("  ")

/** JSON with spaces where its lines may be broken. */
const spaced = (value: unknown): string => oneLine(JSON.stringify(value, null, 1))

/** The chain as lines of at most `width` columns. */
export const receiptLines = (receipt: Receipt, style: Style, width: number): ReadonlyArray<string> => {
  const { series, response, request, lineage, excerpt } = receipt
  const timeframe = series.timeframe ?? "1d"
  const stamp = isIntraday(timeframe) ? new Date(receipt.bar.ts).toISOString() : brief(receipt.bar.ts)
  const line = (name: string, text: string) => `  ${label(style, name)}${text}`
  return [
    style.bold(`${titleOf(series)} from ${series.vendor}, ${stamp}`),
    "",
    line("row", bar(receipt)),
    line("", receipt.final ? "final" : "provisional: the period was not over when it was fetched"),
    line("came from", oneLine(excerpt.label)),
    line("", oneLine(excerpt.text)),
    line("", `read by decoder version ${lineage.decoderVersion}`),
    line("answer", `response ${response.id}, fetched ${new Date(response.fetchedAt).toISOString()}`),
    line(
      "",
      `${bytes(response.sizeBytes)}, status ${response.status}, attempt ${response.attempt}, waited ${duration(response.waited)}`
    ),
    ...(response.sha256 === null ? [] : [line("sha256", response.sha256)]),
    line("question", `request ${request.id} in session ${request.session}: ${request.method} ${request.kind}`),
    ...wrap(spaced(request.params), Math.max(30, width - 12)).map((part) => line("", part)),
    "",
    style.dim(`The exact bytes: tapestry archive cat ${response.id}`)
  ]
}
