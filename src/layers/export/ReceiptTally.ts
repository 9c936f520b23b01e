/** Which answers rows came from, in runs of neighbours, and the receipts that are made of it. */
import { Effect } from "effect"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { ExportReceipt } from "./Manifest.ts"
import type { ExportedRow } from "./RowCodec.ts"
import type { RowKind } from "./RowKind.ts"

interface Run {
  /** The number of its first row in the file, from 0. */
  readonly from: number
  readonly first: number
  last: number
  rows: number
}

interface Given {
  readonly response: number
  readonly decoderVersion: number | null
  rows: number
  readonly runs: Array<Run>
}

export interface ReceiptTally<Row> {
  readonly add: (rows: ReadonlyArray<ExportedRow<Row>>) => void
  /** One receipt for each answer that gave rows, and for each of `proofs`, by response. */
  readonly receipts: (archive: ProvenanceStore["Service"], proofs: Iterable<number>) => ReturnType<typeof receiptsOf>
}

const iso = (ts: number): string => new Date(ts).toISOString()

const receiptOf = Effect.fnUntraced(function* (archive: ProvenanceStore["Service"], given: Given, numbered: boolean) {
  const response = yield* archive.response(given.response)
  const request = yield* archive.request(response.request)
  const receipt: ExportReceipt = {
    response: response.id,
    request: request.id,
    identity: request.identity,
    vendor: request.source,
    kind: request.kind,
    status: response.status,
    askedAt: iso(response.askedAt),
    fetchedAt: iso(response.fetchedAt),
    sha256: response.sha256,
    sizeBytes: response.sizeBytes,
    decoderVersion: given.decoderVersion,
    rows: given.rows,
    runs: given.runs.map(({ first, from, last, rows }) => ({
      ...(numbered ? { from } : {}),
      first: iso(first),
      last: iso(last),
      rows
    }))
  }
  return receipt
})

const receiptsOf = Effect.fnUntraced(function* (
  archive: ProvenanceStore["Service"],
  given: ReadonlyArray<Given>,
  proofs: Iterable<number>,
  numbered: boolean
) {
  const known = new Set(given.map(({ response }) => response))
  const others = [...new Set(proofs)]
    .filter((response) => !known.has(response))
    .map((response): Given => ({ response, decoderVersion: null, rows: 0, runs: [] }))
  const all = [...given, ...others].toSorted(
    (a, b) => a.response - b.response || (a.decoderVersion ?? 0) - (b.decoderVersion ?? 0)
  )
  return yield* Effect.forEach(all, (one) => receiptOf(archive, one, numbered))
})

export const make = <Row>({ millis, numbered }: RowKind<Row>): ReceiptTally<Row> => {
  const givers = new Map<string, Given>()
  let open: { readonly giver: Given; readonly run: Run } | null = null

  const giverOf = ({ lineage }: ExportedRow<Row>): Given => {
    const key = `${lineage.response} ${lineage.decoderVersion}`
    const known = givers.get(key)
    if (known !== undefined) return known
    const { decoderVersion, response } = lineage
    const giver: Given = { response, decoderVersion, rows: 0, runs: [] }
    givers.set(key, giver)
    return giver
  }

  let count = 0

  const addRow = (row: ExportedRow<Row>): void => {
    const { response, decoderVersion } = row.lineage
    const same = open !== null && open.giver.response === response && open.giver.decoderVersion === decoderVersion
    if (open === null || !same) {
      const run: Run = { from: count, first: millis(row.row), last: millis(row.row), rows: 0 }
      open = { giver: giverOf(row), run }
      open.giver.runs.push(run)
    }
    open.giver.rows++
    open.run.rows++
    open.run.last = millis(row.row)
    count++
  }

  return {
    add: (rows) => {
      for (const row of rows) addRow(row)
    },
    receipts: (archive, proofs) => receiptsOf(archive, [...givers.values()], proofs, numbered)
  }
}
