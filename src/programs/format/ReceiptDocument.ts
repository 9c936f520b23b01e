/** The chain behind a row as a JSON document. */
import { canonical } from "../../domain/SeriesKey.ts"
import { barDocument } from "../../layers/export/BarsText.ts"
import type { Receipt } from "../../services/StitchingCache.ts"
import { requestDocument, responseDocument } from "./archiveRows.ts"
import { instant, refusalDocument } from "./Documents.ts"

export const receiptDocument = (receipt: Receipt) => ({
  series: canonical(receipt.series),
  row: barDocument(receipt.bar),
  final: receipt.final,
  recordedAt: instant(receipt.lineage.recordedAt),
  decoderVersion: receipt.lineage.decoderVersion,
  response: responseDocument(receipt.response),
  request: requestDocument(receipt.request),
  attempts: receipt.attempts.map(responseDocument),
  ...(receipt.symbol === undefined ? {} : { symbol: receipt.symbol }),
  position: receipt.lineage.position,
  excerpt: receipt.excerpt,
  ...refusalDocument(receipt)
})
