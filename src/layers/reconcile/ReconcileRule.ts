import { Result, Schema, SchemaGetter } from "effect"
import { parseTolerance, ReconciledField, Tolerance, type Tolerances } from "../../domain/Mismatch.ts"
import { Timeframe } from "../../domain/Timeframe.ts"
import type { DocumentProblem } from "../config/issueProblems.ts"
import { nearest } from "../config/nearest.ts"

const toleranceOf = (text: string | number): Tolerance | null =>
  Result.getOrElse(parseTolerance(String(text)), () => null)

const ToleranceText = Schema.Union([Schema.String, Schema.Finite])
  .pipe(
    Schema.check(Schema.makeFilter((text) => toleranceOf(text) !== null)),
    Schema.decodeTo(Tolerance, {
      decode: SchemaGetter.transform((text: string | number) => toleranceOf(text) ?? { value: 0, relative: false }),
      encode: SchemaGetter.transform(({ relative, value }: Tolerance) => (relative ? `${value * 100}%` : value))
    })
  )
  .annotate({ expected: "a number, such as 0.001, or a percentage, such as 5%" })

const fields = [...ReconciledField.literals, "price"] as const
const VendorName = Schema.NonEmptyString.annotate({ expected: "the name of a vendor" })
const names = Schema.NonEmptyArray(Schema.NonEmptyString)

/** One rule of `reconcile:` in tapestry.yaml: two vendors whose bars are compared whenever new ones arrive at either. */
export const ReconcileRuleSpec = Schema.Struct({
  vendors: Schema.Tuple([VendorName, VendorName]).annotate({
    expected: "the names of two vendors, such as [yahoo, stooq]"
  }),
  symbols: Schema.optionalKey(names.annotate({ expected: "a list of symbols" })),
  timeframes: Schema.optionalKey(
    Schema.NonEmptyArray(Timeframe).annotate({ expected: `a list of timeframes: ${Timeframe.literals.join(" ")}` })
  ),
  tolerance: Schema.optionalKey(
    Schema.Record(Schema.Literals(fields), Schema.optionalKey(ToleranceText)).annotate({
      expected: `a mapping of ${fields.join(", ")} to a number or a percentage, such as { close: 0.001, volume: 5% }`
    })
  )
})
type ReconcileRuleSpec = typeof ReconcileRuleSpec.Type

/** A rule with nothing left out; null: every one. */
export interface ReconcileRule {
  readonly left: string
  readonly right: string
  readonly symbols: ReadonlyArray<string> | null
  readonly timeframes: ReadonlyArray<Timeframe> | null
  readonly tolerances: Tolerances
}

const tolerancesOf = ({ price, ...own }: NonNullable<ReconcileRuleSpec["tolerance"]>): Tolerances =>
  price === undefined ? own : { open: price, high: price, low: price, close: price, ...own }

const resolveRule = ({ symbols, timeframes, tolerance = {}, vendors }: ReconcileRuleSpec): ReconcileRule => ({
  left: vendors[0],
  right: vendors[1],
  symbols: symbols?.map((symbol) => symbol.toUpperCase()) ?? null,
  timeframes: timeframes ?? null,
  tolerances: tolerancesOf(tolerance)
})

/** Rules whose vendors are among the known ones, and two. */
export const resolveRules = (
  specs: ReadonlyArray<ReconcileRuleSpec>,
  known: ReadonlyArray<string>
): Result.Result<ReadonlyArray<ReconcileRule>, ReadonlyArray<DocumentProblem>> => {
  const problems = specs.flatMap(({ vendors }, index) =>
    vendors.flatMap((vendor, side): ReadonlyArray<DocumentProblem> => {
      const path = ["reconcile", String(index), "vendors", String(side)]
      if (!known.includes(vendor)) {
        const meant = nearest(vendor, known)
        const remedy = meant === null ? null : `did you mean ${meant}?`
        return [{ path, expected: `the name of a vendor: ${known.join(", ")}`, found: null, remedy }]
      }
      const same = side === 1 && vendor === vendors[0]
      return same ? [{ path, expected: "another vendor than the first", found: null, remedy: null }] : []
    })
  )
  return problems.length > 0 ? Result.fail(problems) : Result.succeed(specs.map(resolveRule))
}
