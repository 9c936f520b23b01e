/** The chain behind a row as text, from the value back to the bytes. */
import type { Response } from "../../domain/Response.ts"
import { isIntraday } from "../../domain/Timeframe.ts"
import type { RecordReceipt } from "../../services/Imports.ts"
import type { Receipt } from "../../services/StitchingCache.ts"
import { titleOf } from "../flags/SeriesFlags.ts"
import type { Style } from "../terminal/Style.ts"
import { oneLine } from "../terminal/Style.ts"
import { bytes, decimal, duration, grouped } from "./Numbers.ts"
import { refusedText } from "./RangeLines.ts"
import { recordRow } from "./ReceiptDocument.ts"
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

const iso = (millis: number): string => new Date(millis).toISOString()

/** `HTTP 200`, where the vendor is asked over HTTP. */
const transport = ({ metadata }: Response): ReadonlyArray<string> =>
  metadata.transportStatus === null ? [] : [`HTTP ${metadata.transportStatus}`]

/** `2: asked …, fetched …, ok, waited 0.3 s for the budget`; a failure with its cause. */
const attemptLine = (response: Response): string =>
  oneLine(
    [
      `${response.attempt}: asked ${iso(response.askedAt)}`,
      `fetched ${iso(response.fetchedAt)}`,
      response.status,
      ...transport(response),
      `waited ${duration(response.waited)} for the budget`
    ].join(", ") + (response.cause === null ? "" : `: ${response.cause}`)
  )

type Chain = Pick<Receipt, "response" | "request" | "lineage" | "excerpt" | "attempts" | "symbol" | "refusal">

/** From the piece of the answer that a row was read from to what was asked, as lines of at most `width` columns. */
const chainLines = (chain: Chain, style: Style, width: number): ReadonlyArray<string> => {
  const { excerpt, lineage, request, response } = chain
  const attempts = chain.attempts.length === 0 ? [response] : chain.attempts
  const line = (name: string, text: string) => `  ${label(style, name)}${text}`
  const wrapped = (name: string, text: string) =>
    wrap(text, Math.max(30, width - 12)).map((part, index) => line(index === 0 ? name : "", part))
  const { url } = response.metadata
  return [
    line("came from", oneLine(excerpt.label)),
    ...(excerpt.pointer === undefined ? [] : [line("", `JSON pointer ${oneLine(excerpt.pointer)}`)]),
    line("", oneLine(excerpt.text)),
    line("", `read by decoder version ${lineage.decoderVersion}`),
    line("answer", `response ${response.id}, fetched ${iso(response.fetchedAt)}`),
    line("", [bytes(response.sizeBytes), `status ${response.status}`, ...transport(response)].join(", ")),
    ...(url === null ? [] : wrapped("", oneLine(url))),
    ...(response.sha256 === null ? [] : [line("sha256", response.sha256)]),
    line("question", `request ${request.id} in session ${request.session}: ${request.method} ${request.kind}`),
    ...(chain.symbol === undefined ? [] : [line("", `asked as ${chain.symbol}, its symbol then`)]),
    ...wrapped("", spaced(request.params)),
    ...attempts.flatMap((attempt, index) => wrapped(index === 0 ? "attempts" : "", attemptLine(attempt))),
    ...(chain.refusal === undefined ? [] : wrapped("since", refusedText(chain.refusal))),
    "",
    style.dim(`The exact bytes: tapestry archive cat ${response.id}`)
  ]
}

/** The chain as lines of at most `width` columns. */
export const receiptLines = (receipt: Receipt, style: Style, width: number): ReadonlyArray<string> => {
  const { series } = receipt
  const stamp = isIntraday(series.timeframe ?? "1d") ? iso(receipt.bar.ts) : brief(receipt.bar.ts)
  const line = (name: string, text: string) => `  ${label(style, name)}${text}`
  return [
    style.bold(`${titleOf(series)} from ${series.vendor}, ${stamp}`),
    "",
    line("row", bar(receipt)),
    line("", receipt.final ? "final" : "provisional: the period was not over when it was fetched"),
    ...chainLines(receipt, style, width)
  ]
}

/** As `receiptLines`, of a record. */
export const recordReceiptLines = (receipt: RecordReceipt, style: Style, width: number): ReadonlyArray<string> => {
  const { before, receivedAt, row, series } = receipt
  const line = (name: string, text: string) => `  ${label(style, name)}${text}`
  const wrapped = (name: string, text: string) =>
    wrap(text, Math.max(30, width - 12)).map((part, index) => line(index === 0 ? name : "", part))
  const { ts, ...values } = recordRow(series, row)
  return [
    style.bold(`${titleOf(series)} from ${series.vendor}, ${ts}`),
    "",
    ...wrapped("row", spaced(values)),
    ...(receivedAt === null ? [] : [line("received", iso(receivedAt))]),
    ...before.flatMap(({ kind, lineage, row: past, supersededAt }, index) => {
      const { ts: _, ...told } = recordRow(series, past)
      const text = `${spaced(told)} of response ${lineage.response}, ${kind} ${iso(supersededAt)}`
      return wrapped(index === 0 ? "before" : "", text)
    }),
    ...chainLines(receipt, style, width)
  ]
}
