/**
 * The history of one stamp as a function of what was asserted about it. Pure: the rows, the revisions and the model that
 * checks them all mean this.
 *
 * Each response whose coverage holds the stamp asserts a value, or that there is no row, either as final or as provisional.
 * Taken in the order of knowledge:
 *
 * - an assertion equal to the one before joins it (the first one's lineage and time stay; final once any of them is final);
 * - a provisional value, or a provisional absence, gives way to a provisional value without a trace (`overwritten`);
 * - an absence that was provisional always gives way without a trace;
 * - everything else that gives way leaves a revision.
 */
import type { Bar } from "../../domain/Bar.ts"
import { sameValues } from "../../domain/Bar.ts"
import { CountBit, VolumeBit, VwapBit } from "./EchoBlock.ts"
import type { KnowledgeKey } from "./KnowledgeKey.ts"
import { RevisionKind } from "./rows.ts"

/** What one response says about the stamp. `bar` is as the response gave it; the fields of `mask` are to be filled in. */
export interface Assertion {
  readonly applied: number
  readonly key: KnowledgeKey
  readonly final: boolean
  readonly bar: Bar | null
  readonly position: number
  readonly mask: number
}

export interface Version {
  readonly applied: number
  readonly bar: Bar | null
  readonly final: boolean
  readonly position: number
}

export interface Superseded extends Version {
  readonly kind: number
  readonly supersededBy: number
}

export interface History {
  readonly current: Version | null
  readonly superseded: ReadonlyArray<Superseded>
  /** Assertions of a value that joined an equal one. */
  readonly joined: ReadonlyArray<Assertion>
}

/** The fields that are null in `bar` and that the policy `keep` fills from what is stored. */
export const maskOf = (bar: Bar): number =>
  (bar.volume === null ? VolumeBit : 0) + (bar.vwap === null ? VwapBit : 0) + (bar.count === null ? CountBit : 0)

/** `bar` with its masked fields taken from `from`. */
export const fill = (bar: Bar, mask: number, from: Bar | null): Bar =>
  mask === 0 || from === null
    ? bar
    : {
        ...bar,
        volume: mask & VolumeBit ? from.volume : bar.volume,
        vwap: mask & VwapBit ? from.vwap : bar.vwap,
        count: mask & CountBit ? from.count : bar.count
      }

/** `bar` with its masked fields null again. */
const unfill = (bar: Bar, mask: number): Bar =>
  mask === 0
    ? bar
    : {
        ...bar,
        volume: mask & VolumeBit ? null : bar.volume,
        vwap: mask & VwapBit ? null : bar.vwap,
        count: mask & CountBit ? null : bar.count
      }

const same = (a: Bar | null, b: Bar | null): boolean => (a === null || b === null ? a === b : sameValues(a, b))

/** How a version ends when another value follows; null when it leaves nothing at all. */
export const endOf = (version: Pick<Version, "bar" | "final">, next: Pick<Version, "bar" | "final">): number | null => {
  if (version.bar === null) return version.final ? RevisionKind.corrected : null
  if (next.bar === null) return RevisionKind.withdrawn
  if (version.final) return RevisionKind.corrected
  return next.final ? RevisionKind.finalised : RevisionKind.overwritten
}

const finalised = (version: Version): Version => ({ ...version, final: true })

/** The history that these assertions make; they are in the order of knowledge. */
export const fold = (assertions: ReadonlyArray<Assertion>): History => {
  let current: Version | null = null
  const superseded: Array<Superseded> = []
  const joined: Array<Assertion> = []
  for (const assertion of assertions) {
    const { applied, final, position } = assertion
    const bar: Bar | null =
      assertion.bar === null ? null : fill(assertion.bar, assertion.mask, current === null ? null : current.bar)
    if (current !== null && same(current.bar, bar)) {
      if (final && !current.final) current = finalised(current)
      if (bar !== null) joined.push(assertion)
      continue
    }
    if (current !== null) {
      const kind = endOf(current, { bar, final })
      if (kind !== null) superseded.push({ ...current, kind, supersededBy: applied })
    }
    current = { applied, bar, final, position: bar === null ? -1 : position }
  }
  return { current, superseded, joined }
}

/** A response whose coverage holds the stamp. */
export interface Cover {
  readonly applied: number
  readonly key: KnowledgeKey
  readonly final: boolean
}

/** What is stored about the stamp. */
export interface Stored {
  readonly current: Version | null
  readonly superseded: ReadonlyArray<Superseded>
  readonly echo: (applied: number) => { readonly position: number; readonly mask: number } | undefined
}

/**
 * The assertions that made what is stored, read backwards from it: a response that covers the stamp asserted its own version
 * if it has one, an absence if it superseded a value without having one, and otherwise what held before it.
 */
export const assertionsOf = (covers: ReadonlyArray<Cover>, stored: Stored): Array<Assertion> => {
  const assertions: Array<Assertion> = []
  let holding: Bar | null = null
  let endsWith: number | null = null
  for (const { applied, key, final } of covers) {
    const superseded = stored.superseded.find((version) => version.applied === applied)
    const version = superseded ?? (stored.current?.applied === applied ? stored.current : null)
    const echo = stored.echo(applied)
    if (version !== null) {
      holding = version.bar
      endsWith = superseded === undefined ? null : superseded.supersededBy
    } else if (endsWith === applied) {
      holding = null
    }
    const mask = echo?.mask ?? 0
    assertions.push({
      applied,
      key,
      final,
      bar: holding === null ? null : unfill(holding, mask),
      position: version?.position ?? echo?.position ?? -1,
      mask: holding === null ? 0 : mask
    })
  }
  return assertions
}
