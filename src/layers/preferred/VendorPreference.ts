import { Result, Schema } from "effect"
import { FailoverReason, failoverReasons, type PreferredVendor } from "../../services/PreferredVendors.ts"
import type { DocumentProblem } from "../config/issueProblems.ts"
import { nearest } from "../config/nearest.ts"

const Name = Schema.NonEmptyString

/** One entry of `preferences:` in tapestry.yaml: a name under which several vendors are asked, one after another. */
export const VendorPreferenceSpec = Schema.Struct({
  vendors: Schema.NonEmptyArray(Name).annotate({ expected: "a list of vendors, the most preferred one first" }),
  on: Schema.optionalKey(
    Schema.Array(FailoverReason).annotate({ expected: `a list of ${FailoverReason.literals.join(", ")}` })
  ),
  symbols: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Record(Schema.String, Name)).annotate({
      expected: "a mapping of symbols to their spelling at each vendor, such as BRK.B: { yahoo: BRK-B }"
    })
  )
})
export type VendorPreferenceSpec = typeof VendorPreferenceSpec.Type

/** A preference with nothing left out. */
export interface VendorPreference {
  readonly name: string
  readonly vendors: ReadonlyArray<string>
  readonly on: ReadonlyArray<FailoverReason>
  /** By symbol in upper case: its spelling by vendor. */
  readonly symbols: ReadonlyMap<string, Readonly<Record<string, string>>>
}

/** The vendors of a preference with the symbol as each of them spells it. */
export const vendorsFor = ({ symbols, vendors }: VendorPreference, symbol: string): ReadonlyArray<PreferredVendor> => {
  const spelled = symbols.get(symbol.toUpperCase()) ?? {}
  return vendors.map((vendor) => ({ vendor, symbol: spelled[vendor] ?? symbol }))
}

const unknown = (path: ReadonlyArray<string>, vendor: string, known: ReadonlyArray<string>): DocumentProblem => {
  const meant = nearest(vendor, known)
  return {
    path,
    expected: `the name of a vendor: ${known.join(", ")}`,
    found: JSON.stringify(vendor),
    remedy: meant === null ? null : `did you mean ${meant}?`
  }
}

/** Preferences whose vendors are among the known ones, each once, and whose names are not those of vendors. */
export const resolvePreferences = (
  specs: Readonly<Record<string, VendorPreferenceSpec>>,
  known: ReadonlyArray<string>
): Result.Result<ReadonlyArray<VendorPreference>, ReadonlyArray<DocumentProblem>> => {
  const problems: Array<DocumentProblem> = []
  const preferences = Object.entries(specs).map(([name, { on = failoverReasons, symbols = {}, vendors }]) => {
    const at = ["preferences", name]
    if (known.includes(name) || name.includes(",")) {
      const found = known.includes(name) ? "the name of a vendor" : "a comma"
      problems.push({ path: at, expected: "a name of its own, without a comma", found, remedy: "rename it" })
    }
    for (const [index, vendor] of vendors.entries()) {
      const path = [...at, "vendors", String(index)]
      if (!known.includes(vendor)) problems.push(unknown(path, vendor, known))
      else if (vendors.indexOf(vendor) < index) {
        problems.push({ path, expected: "each vendor once", found: JSON.stringify(vendor), remedy: "remove it" })
      }
    }
    for (const [symbol, spelled] of Object.entries(symbols)) {
      for (const vendor of Object.keys(spelled)) {
        if (!vendors.includes(vendor)) problems.push(unknown([...at, "symbols", symbol, vendor], vendor, vendors))
      }
    }
    const bySymbol = new Map(
      Object.entries(symbols).map(([symbol, spelled]) => [symbol.toUpperCase(), spelled] as const)
    )
    return { name, vendors, on, symbols: bySymbol }
  })
  return problems.length > 0 ? Result.fail(problems) : Result.succeed(preferences)
}
