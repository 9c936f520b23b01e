/**
 * Rows of a stretch in which a later answer, or an absence that was final, is in play: the whole history of each stamp is read
 * back from what is stored, the commit's assertion is put in its place, and the difference is written. Slower than the other
 * ways, and rare: an answer that is committed after a later one, or a row that appears where there was none.
 */
import { type Bar, sameValues } from "../../domain/Bar.ts"
import type { CommitBatch } from "./CommitBatch.ts"
import type { CommitTarget, Tally } from "./CommitTarget.ts"
import { type Echo, EchoBlock } from "./EchoBlock.ts"
import type { RowTables } from "./GenerationTables.ts"
import type { HistorySweep } from "./HistorySweep.ts"
import { compare } from "./KnowledgeKey.ts"
import { intervalCursor, type RowChunk } from "./RowChunk.ts"
import { RevisionKind, type StoredVersion, type SupersededVersion } from "./rows.ts"
import { type Assertion, assertionsOf, fold, type History, maskOf, type Version } from "./VersionHistory.ts"

interface StampState {
  given: { readonly bar: Bar; readonly position: number } | null
  current: StoredVersion | null
  superseded: Array<SupersededVersion>
}

const statesOf = (tables: RowTables, target: CommitTarget, batch: CommitBatch, chunk: RowChunk) => {
  const states = new Map<number, StampState>()
  const at = (ts: number): StampState => {
    const found = states.get(ts)
    if (found !== undefined) return found
    const made: StampState = { given: null, current: null, superseded: [] }
    states.set(ts, made)
    return made
  }
  for (let index = chunk.from; index < chunk.to; index++) {
    const bar = batch.bars[index]
    if (bar !== undefined) at(bar.ts).given = { bar, position: batch.positions[index] ?? 0 }
  }
  for (const version of tables.barsIn(target.generation, chunk.start, chunk.end)) at(version.ts).current = version
  for (const version of tables.revisionsIn(target.generation, chunk.start, chunk.end)) {
    at(version.ts).superseded.push(version)
  }
  return [...states].sort(([a], [b]) => a - b)
}

const sameVersion = (a: StoredVersion, b: StoredVersion): boolean =>
  a.applied === b.applied &&
  a.final === b.final &&
  a.position === b.position &&
  (a.bar === null || b.bar === null ? a.bar === b.bar : sameValues(a.bar, b.bar))

/** A row that keeps its value also keeps the lineage it took over from an earlier generation. */
const withShown = (ts: number, version: Version, state: StampState): StoredVersion => {
  const before = [state.current, ...state.superseded].find((stored) => stored?.applied === version.applied)
  const keeps = before?.bar != null && version.bar !== null && sameValues(before.bar, version.bar)
  return {
    ...version,
    ts,
    shown: keeps ? before.shown : null,
    shownPosition: keeps ? before.shownPosition : null
  }
}

const writeStamp = (
  tables: RowTables,
  generation: number,
  ts: number,
  state: StampState,
  history: History,
  tally: Tally
): void => {
  const current =
    history.current === null || history.current.bar === null ? null : withShown(ts, history.current, state)
  if (current === null) {
    if (state.current !== null) tables.removeBar(generation, ts)
  } else if (state.current === null || !sameVersion(state.current, current)) {
    tables.putBar(generation, current)
  }
  const kept = new Set<number>()
  for (const superseded of history.superseded) {
    const { kind, supersededBy } = superseded
    const version: SupersededVersion = { ...withShown(ts, superseded, state), kind, supersededBy }
    const before = state.superseded.find((stored) => stored.applied === version.applied)
    kept.add(version.applied)
    if (kind !== RevisionKind.overwritten) tally.revisions++
    if (
      before === undefined ||
      before.kind !== kind ||
      before.supersededBy !== supersededBy ||
      !sameVersion(before, version)
    ) {
      tables.putRevision(generation, version, null)
    }
  }
  for (const before of state.superseded) {
    if (before.kind !== RevisionKind.overwritten) tally.revisions--
    if (!kept.has(before.applied)) tables.removeRevision(generation, ts, before.applied)
  }
}

const count = (state: StampState, after: Bar | null, tally: Tally): void => {
  const before = state.current === null ? null : state.current.bar
  if (state.given === null) {
    if (before !== null && after === null) tally.withdrawn++
  } else if (before === null && after !== null) tally.inserted++
  else if (before !== null && after !== null && !sameValues(before, after)) tally.updated++
  else tally.unchanged++
}

export const rewriteHistory = (
  tables: RowTables,
  target: CommitTarget,
  batch: CommitBatch,
  chunk: RowChunk,
  sweep: HistorySweep,
  tally: Tally
): void => {
  const { applied, generation, key } = target
  const intervalAt = intervalCursor(batch.intervals)
  const known = new Map<number, ReadonlyMap<number, Echo>>()
  const echoesFor = (response: number): ReadonlyMap<number, Echo> => {
    const found = known.get(response)
    if (found !== undefined) return found
    const read = tables.echoesOf(response, chunk.start, chunk.end)
    known.set(response, read)
    return read
  }
  const blocks = new Map<number, EchoBlock>()
  const echo = ({ applied: response, mask, position }: Assertion, ts: number): void => {
    const block = blocks.get(response) ?? new EchoBlock()
    blocks.set(response, block)
    block.add(ts, position, mask)
  }
  for (const [ts, state] of statesOf(tables, target, batch, chunk)) {
    const interval = intervalAt(ts)
    if (interval === null) continue
    const covers = sweep.at(ts)
    const assertions = assertionsOf(covers, {
      current: state.current,
      superseded: state.superseded,
      echo: (response) => echoesFor(response).get(ts)
    })
    const bar = state.given === null ? null : state.given.bar
    const own: Assertion = {
      applied,
      key,
      final: interval.final,
      bar,
      position: state.given?.position ?? -1,
      mask: bar === null || !target.keepsNulls ? 0 : maskOf(bar)
    }
    const later = assertions.findIndex((assertion) => compare(assertion.key, key) > 0)
    assertions.splice(later < 0 ? assertions.length : later, 0, own)
    const history = fold(assertions)
    writeStamp(tables, generation, ts, state, history, tally)
    count(state, history.current === null ? null : history.current.bar, tally)
    for (const joined of history.joined) {
      if (joined.applied === applied || !echoesFor(joined.applied).has(ts)) echo(joined, ts)
    }
    if (own.mask !== 0 && !history.joined.includes(own)) echo(own, ts)
  }
  for (const [response, block] of blocks) tables.putEchoes(response, applied, block)
}
