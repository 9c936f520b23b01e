/** The section `aliases` of tapestry.yaml: symbols that became others, and for which vendors. */
import { Result, Schema } from "effect"
import { parseInstant } from "../../domain/Instant.ts"
import type { SymbolChange } from "../../domain/SymbolChange.ts"
import type { DocumentProblem } from "./issueProblems.ts"

const Day = Schema.String.pipe(
  Schema.check(
    Schema.makeFilter((text) => (/^\d{4}-\d{2}-\d{2}$/.test(text) && Result.isSuccess(parseInstant(text))) || "no date")
  ),
  Schema.annotate({ expected: "a date, as 2022-06-09" })
)
const Symbol = Schema.NonEmptyString.annotate({ expected: "a symbol" })

export const SymbolChangeSpec = Schema.Struct({
  from: Symbol,
  to: Symbol,
  on: Day,
  reused: Schema.optionalKey(Day),
  vendors: Schema.optionalKey(Schema.Array(Schema.NonEmptyString).annotate({ expected: "a list of vendors" }))
})
export interface SymbolChangeSpec extends Schema.Schema.Type<typeof SymbolChangeSpec> {}

/** A change with the vendors that it is for; null: all of them. */
export interface ConfiguredChange extends SymbolChange {
  readonly vendors: ReadonlyArray<string> | null
}

const day = (text: string): number => Result.getOrElse(parseInstant(text), () => 0)

const sharesVendor = (a: ConfiguredChange, b: ConfiguredChange): boolean =>
  a.vendors === null || b.vendors === null || a.vendors.some((name) => b.vendors?.includes(name) === true)

const upper = (text: string) => text.toUpperCase()

/** Why a change contradicts an earlier one of the list; null when it does not. */
const conflictOf = (
  changes: ReadonlyArray<ConfiguredChange>,
  later: ConfiguredChange
): { readonly key: string; readonly expected: string; readonly remedy: string } | null => {
  const own = changes.filter((change) => change !== later && sharesVendor(change, later) && change.on <= later.on)
  const between = (start: number, name: string, side: "from" | "to") =>
    own.some((change) => upper(change[side]) === name && start < change.on && change.on <= later.on)
  for (const earlier of own) {
    const first = changes.indexOf(earlier) < changes.indexOf(later) || earlier.on < later.on
    if (!first) continue
    const at = new Date(earlier.on).toISOString().slice(0, 10)
    if (upper(earlier.from) === upper(later.from)) {
      const free = earlier.reused !== null && earlier.reused <= later.on
      if (free || between(earlier.on, upper(later.from), "to")) continue
      return {
        key: "from",
        expected: `a symbol that was in use then; ${earlier.from} had become ${earlier.to} on ${at}`,
        remedy: `remove one of the two, or say reused: with the date from which ${earlier.from} was another company's`
      }
    }
    if (upper(earlier.to) === upper(later.to) && !between(earlier.on, upper(later.to), "from")) {
      return {
        key: "to",
        expected: `a symbol that was free then; ${earlier.from} had become ${earlier.to} on ${at}`,
        remedy: "remove one of the two, or correct its date"
      }
    }
  }
  return null
}

/** The changes that a checked document means, or what is wrong with them. */
export const resolveSymbolChanges = (
  specs: ReadonlyArray<SymbolChangeSpec>,
  known: ReadonlyArray<string>
): Result.Result<ReadonlyArray<ConfiguredChange>, ReadonlyArray<DocumentProblem>> => {
  const problems: Array<DocumentProblem> = []
  const wrong = (index: number, key: string, expected: string, remedy: string) =>
    problems.push({ path: ["aliases", String(index), key], expected, found: null, remedy })
  const changes = specs.map(
    ({ from, on, reused, to, vendors }): ConfiguredChange => ({
      from,
      to,
      on: day(on),
      reused: reused === undefined ? null : day(reused),
      vendors: vendors ?? null
    })
  )
  for (const [index, change] of changes.entries()) {
    if (upper(change.from) === upper(change.to)) wrong(index, "to", "another symbol than from", "correct one of them")
    if (change.reused !== null && change.reused < change.on) {
      wrong(index, "reused", "a date after on: a symbol is free only when it was given up", "correct one of the dates")
    }
    for (const name of change.vendors ?? []) {
      if (!known.includes(name)) wrong(index, "vendors", `vendors of this file: ${known.join(", ")}`, `remove ${name}`)
    }
    const conflict = conflictOf(changes, change)
    if (conflict !== null) wrong(index, conflict.key, conflict.expected, conflict.remedy)
  }
  return problems.length > 0 ? Result.fail(problems) : Result.succeed(changes)
}

/** Those of one vendor. */
export const changesFor = (changes: ReadonlyArray<ConfiguredChange>, vendor: string): ReadonlyArray<SymbolChange> =>
  changes.filter(({ vendors }) => vendors === null || vendors.includes(vendor))
