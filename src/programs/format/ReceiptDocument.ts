/** The chain behind a row as a JSON document. */

import type { AnyRecord, RecordSeries } from "../../domain/records/RecordKind.ts"
import { canonical } from "../../domain/SeriesKey.ts"
import { barDocument } from "../../layers/export/BarsText.ts"
import { recordsText } from "../../layers/export/RecordsText.ts"
import type { RecordReceipt } from "../../services/Imports.ts"
import type { Receipt } from "../../services/StitchingCache.ts"
import { requestDocument, responseDocument } from "./archiveRows.ts"
import { instant, refusalDocument } from "./Documents.ts"

type Chain = Pick<Receipt, "lineage" | "response" | "request" | "attempts">

const chainDocument = ({ attempts, lineage, request, response }: Chain) => ({
  recordedAt: instant(lineage.recordedAt),
  decoderVersion: lineage.decoderVersion,
  response: responseDocument(response),
  request: requestDocument(request),
  attempts: attempts.map(responseDocument)
})

export const receiptDocument = (receipt: Receipt) => ({
  series: canonical(receipt.series),
  row: barDocument(receipt.bar),
  final: receipt.final,
  ...chainDocument(receipt),
  ...(receipt.symbol === undefined ? {} : { symbol: receipt.symbol }),
  position: receipt.lineage.position,
  excerpt: receipt.excerpt,
  ...refusalDocument(receipt)
})

/** A record as `dump` writes it, without what its series says. */
export const recordRow = (series: RecordSeries, row: AnyRecord): { readonly [name: string]: unknown } => {
  const { currency, dataset, symbol, vendor, ...values } = JSON.parse(
    recordsText(series.kind, "ndjson").rows(series, [row])
  )
  return values
}

export const recordReceiptDocument = (receipt: RecordReceipt) => ({
  series: canonical(receipt.series),
  row: recordRow(receipt.series, receipt.row),
  receivedAt: receipt.receivedAt === null ? null : instant(receipt.receivedAt),
  ...chainDocument(receipt),
  position: receipt.lineage.position,
  excerpt: receipt.excerpt,
  before: receipt.before.map(({ kind, lineage, row, supersededAt, supersededBy }) => ({
    row: recordRow(receipt.series, row),
    kind,
    response: lineage.response,
    position: lineage.position,
    recordedAt: instant(lineage.recordedAt),
    supersededAt: instant(supersededAt),
    supersededBy
  }))
})
