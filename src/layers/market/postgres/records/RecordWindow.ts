/**
 * Some identities of a generation, read beforehand with all that is known of them; changes are gathered, and written by a few
 * statements. See ../../records/RecordRows.ts: what is written is never read here.
 */
import { Effect } from "effect"
import type { RecordKind } from "../../../../domain/records/RecordKind.ts"
import { recordKinds } from "../../../../domain/records/RecordKind.ts"
import type { Query } from "../../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../../postgres/PostgresFailure.ts"
import { int2s, int8, int8s, texts } from "../../../postgres/values.ts"
import type { KnowledgeKey } from "../../KnowledgeKey.ts"
import { echoBlock, echoesIn } from "../../records/echoText.ts"
import type { Echo, EchoedRow, PastRow, RecordRows, StoredRow } from "../../records/RecordRows.ts"
import { cellsAt, cellsFrom, cellsText, keyText, type RowKey } from "../../records/recordCells.ts"
import { num } from "../../rows.ts"
import { tenant } from "../seriesRows.ts"
import {
  deletePast,
  keyArrays,
  type PlacedRow,
  rowArrays,
  selectPast,
  statements,
  upsertPast
} from "./recordStatements.ts"

const selectEchoes = `select applied, data from tapestry_app.record_echoes
  where generation = $1 and last_ts >= $2 and first_ts < $3`
const insertEchoes = `insert into tapestry_app.record_echoes (tenant, generation, applied, first_ts, last_ts, data)
  select $1, $2, r.* from unnest($3::int8[], $4::int8[], $5::int8[], $6::text[]) r`
const selectKnowledge = "select id, fetched_at, response, decoder_version from tapestry_app.applied where id = any($1)"

interface Contents {
  /** By the text of a row's key, as the two below. */
  readonly stored: ReadonlyMap<string, StoredRow>
  readonly past: ReadonlyMap<string, ReadonlyArray<PastRow>>
  readonly echoes: ReadonlyMap<string, ReadonlyArray<Echo>>
  readonly knowledge: ReadonlyMap<number, KnowledgeKey>
}

interface PlacedPast extends RowKey {
  readonly past: PastRow
}

const nothing: ReadonlyArray<never> = []

const placed = ({ identity, ns, ts }: RowKey): RowKey => ({ ts, ns, identity })

export class RecordWindow implements RecordRows {
  private readonly kind: RecordKind
  private readonly generation: number
  private readonly contents: Contents
  /** By the text of the row's key; without cells one that goes. */
  private readonly changed = new Map<string, PlacedRow | RowKey>()
  private readonly removedPast: Array<RowKey> = []
  private readonly puttingPast: Array<PlacedPast> = []
  private readonly echoed: Array<ReturnType<typeof echoBlock> & { readonly applied: number }> = []

  constructor(kind: RecordKind, generation: number, contents: Contents) {
    this.kind = kind
    this.generation = generation
    this.contents = contents
  }

  stored(at: RowKey): StoredRow | null {
    return this.contents.stored.get(keyText(at)) ?? null
  }

  put(at: RowKey, { applied, cells, position }: StoredRow): void {
    this.changed.set(keyText(at), { ...placed(at), applied, cells, position })
  }

  remove(at: RowKey): void {
    this.changed.set(keyText(at), placed(at))
  }

  past(at: RowKey): ReadonlyArray<PastRow> {
    return this.contents.past.get(keyText(at)) ?? nothing
  }

  putPast(at: RowKey, past: PastRow): void {
    this.puttingPast.push({ ...placed(at), past })
  }

  removePast(at: RowKey): number {
    const { length } = this.past(at)
    if (length > 0) this.removedPast.push(placed(at))
    return length
  }

  echoes(at: RowKey): ReadonlyArray<Echo> {
    return this.contents.echoes.get(keyText(at)) ?? nothing
  }

  putEchoes(applied: number, rows: ReadonlyArray<EchoedRow>): void {
    this.echoed.push({ ...echoBlock(rows), applied })
  }

  knowledgeOf(applied: number): KnowledgeKey {
    return this.contents.knowledge.get(applied) ?? { fetchedAt: 0, response: 0, decoderVersion: 0 }
  }

  /** Writes what was gathered. */
  flush(query: Query): Effect.Effect<void, PostgresFailure> {
    const { echoed, kind, puttingPast, removedPast } = this
    const generation = int8(this.generation)
    const changes = [...this.changed.values()]
    const put = changes.filter((change): change is PlacedRow => "cells" in change)
    const removed = changes.filter((change) => !("cells" in change))
    return Effect.gen(function* () {
      if (removedPast.length > 0) yield* query(deletePast, [generation, ...keyArrays(removedPast)])
      if (puttingPast.length > 0) {
        yield* query(upsertPast, [
          tenant,
          generation,
          ...keyArrays(puttingPast),
          int8s(puttingPast.map(({ past }) => past.applied)),
          int8s(puttingPast.map(({ past }) => past.position)),
          texts(puttingPast.map(({ past }) => cellsText(past.cells))),
          int2s(puttingPast.map(({ past }) => past.kind)),
          int8s(puttingPast.map(({ past }) => past.supersededBy))
        ])
      }
      if (removed.length > 0) yield* query(statements[kind].remove, [generation, ...keyArrays(removed)])
      if (put.length > 0) yield* query(statements[kind].upsert, [tenant, generation, ...rowArrays(kind, put)])
      if (echoed.length > 0) {
        yield* query(insertEchoes, [
          tenant,
          generation,
          int8s(echoed.map(({ applied }) => applied)),
          int8s(echoed.map(({ first }) => first)),
          int8s(echoed.map(({ last }) => last)),
          texts(echoed.map(({ data }) => data))
        ])
      }
    })
  }
}

const loadStored = (query: Query, kind: RecordKind, generation: number, keys: ReadonlyArray<RowKey>) =>
  Effect.map(query(statements[kind].stored, [int8(generation), ...keyArrays(keys)]), (rows) => {
    const width = recordKinds[kind].columns.length
    const found = new Map<string, StoredRow>()
    for (const row of rows) {
      const at = keys[num(row[0]) - 1]
      const [applied, position] = [num(row[1 + width]), num(row[2 + width])]
      if (at !== undefined) found.set(keyText(at), { cells: cellsAt(kind, row, 1), applied, position })
    }
    return found
  })

const loadPast = (query: Query, generation: number, keys: ReadonlyArray<RowKey>) =>
  Effect.map(query(selectPast, [int8(generation), ...keyArrays(keys)]), (rows) => {
    const found = new Map<string, Array<PastRow>>()
    for (const [place, applied, position, cells, kind, supersededBy] of rows) {
      const at = keys[num(place) - 1]
      if (at === undefined) continue
      const past: PastRow = {
        applied: num(applied),
        position: num(position),
        cells: cellsFrom(cells),
        kind: num(kind),
        supersededBy: num(supersededBy)
      }
      const known = found.get(keyText(at))
      if (known === undefined) found.set(keyText(at), [past])
      else known.push(past)
    }
    return found
  })

/** For an answer that is the newest: what is stored is all that it is compared with. */
export const loadNewest = (query: Query, kind: RecordKind, generation: number, keys: ReadonlyArray<RowKey>) =>
  Effect.map(
    loadStored(query, kind, generation, keys),
    (stored) => new RecordWindow(kind, generation, { stored, past: new Map(), echoes: new Map(), knowledge: new Map() })
  )

/** For a late answer: everything that was ever said of some identities. `knowledge` grows by who said it. */
export const loadHistory = Effect.fnUntraced(function* (
  query: Query,
  kind: RecordKind,
  generation: number,
  keys: ReadonlyArray<RowKey>,
  knowledge: Map<number, KnowledgeKey>
) {
  const start = keys.reduce((least, { ts }) => Math.min(least, ts), Infinity)
  const last = keys.reduce((most, { ts }) => Math.max(most, ts), -Infinity)
  const stored = yield* loadStored(query, kind, generation, keys)
  const past = yield* loadPast(query, generation, keys)
  const all = echoesIn(yield* query(selectEchoes, [int8(generation), int8(start), int8(last + 1)]))
  const echoes = new Map<string, ReadonlyArray<Echo>>()
  const named = new Set<number>()
  for (const at of keys) {
    const key = keyText(at)
    const repeated = all.get(key)
    if (repeated !== undefined) echoes.set(key, repeated)
    for (const { applied } of repeated ?? nothing) named.add(applied)
    for (const { applied, supersededBy } of past.get(key) ?? nothing) named.add(applied).add(supersededBy)
    const row = stored.get(key)
    if (row !== undefined) named.add(row.applied)
  }
  const unknown = [...named].filter((id) => !knowledge.has(id))
  if (unknown.length > 0) {
    for (const [id, fetchedAt, response, decoderVersion] of yield* query(selectKnowledge, [int8s(unknown)])) {
      knowledge.set(num(id), {
        fetchedAt: num(fetchedAt),
        response: num(response),
        decoderVersion: num(decoderVersion)
      })
    }
  }
  return new RecordWindow(kind, generation, { stored, past, echoes, knowledge })
})
