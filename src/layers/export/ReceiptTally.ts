/** Which answers rows came from, in runs of neighbours, and the receipts that are made of it. */
import { Effect } from "effect"
import type { StoredBar } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { ExportReceipt } from "./Manifest.ts"

interface Run {
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

export interface ReceiptTally {
  readonly add: (rows: ReadonlyArray<StoredBar>) => void
  /** One receipt for each answer that gave rows, and for each of `proofs`, by response. */
  readonly receipts: (archive: ProvenanceStore["Service"], proofs: Iterable<number>) => ReturnType<typeof receiptsOf>
}

const iso = (ts: number): string => new Date(ts).toISOString()

const receiptOf = Effect.fnUntraced(function* (archive: ProvenanceStore["Service"], given: Given) {
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
    runs: given.runs.map(({ first, last, rows }) => ({ first: iso(first), last: iso(last), rows }))
  }
  return receipt
})

const receiptsOf = Effect.fnUntraced(function* (
  archive: ProvenanceStore["Service"],
  given: ReadonlyArray<Given>,
  proofs: Iterable<number>
) {
  const known = new Set(given.map(({ response }) => response))
  const others = [...new Set(proofs)]
    .filter((response) => !known.has(response))
    .map((response): Given => ({ response, decoderVersion: null, rows: 0, runs: [] }))
  const all = [...given, ...others].toSorted(
    (a, b) => a.response - b.response || (a.decoderVersion ?? 0) - (b.decoderVersion ?? 0)
  )
  return yield* Effect.forEach(all, (one) => receiptOf(archive, one))
})

export const make = (): ReceiptTally => {
  const givers = new Map<string, Given>()
  let open: { readonly giver: Given; readonly run: Run } | null = null

  const giverOf = ({ lineage }: StoredBar): Given => {
    const key = `${lineage.response} ${lineage.decoderVersion}`
    const known = givers.get(key)
    if (known !== undefined) return known
    const { decoderVersion, response } = lineage
    const giver: Given = { response, decoderVersion, rows: 0, runs: [] }
    givers.set(key, giver)
    return giver
  }

  const addRow = (row: StoredBar): void => {
    const { response, decoderVersion } = row.lineage
    const same = open !== null && open.giver.response === response && open.giver.decoderVersion === decoderVersion
    if (open === null || !same) {
      const run: Run = { first: row.bar.ts, last: row.bar.ts, rows: 0 }
      open = { giver: giverOf(row), run }
      open.giver.runs.push(run)
    }
    open.giver.rows++
    open.run.rows++
    open.run.last = row.bar.ts
  }

  return {
    add: (rows) => {
      for (const row of rows) addRow(row)
    },
    receipts: (archive, proofs) => receiptsOf(archive, [...givers.values()], proofs)
  }
}
