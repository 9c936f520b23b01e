/** `bars` where several vendors are named: each part from the first of them that gives it. */
import { Effect, Option, Stream } from "effect"
import { isComplete } from "../../../domain/Coverage.ts"
import { vendorsFor } from "../../../layers/preferred/VendorPreference.ts"
import {
  type PreferredAnswer,
  type PreferredQuery,
  type PreferredVendor,
  PreferredVendors
} from "../../../services/PreferredVendors.ts"
import { Ended } from "../../failure/Ended.ts"
import { UsageError } from "../../failure/UsageError.ts"
import { preferredHoles, preferredLine, preferredPlanLines, refusedLines } from "../../format/PreferredLines.ts"
import { preferredDocument, preferredPlanDocument } from "../../format/preferredDocuments.ts"
import { settings } from "../../Settings.ts"
import { Output } from "../../terminal/Output.ts"
import { withProgress } from "../../terminal/Progress.ts"
import { styleOf } from "../../terminal/Style.ts"

interface Wanted {
  readonly vendors: ReadonlyArray<PreferredVendor>
  readonly on?: PreferredQuery["on"] & {}
}

/** What `--vendor` means when it names several: a preference of the configuration, or `yahoo,stooq:aapl.us`. Null: one vendor. */
export const preferenceOf = Effect.fnUntraced(function* (vendor: string, symbol: string) {
  const { config } = yield* settings
  const preference = config.preferences.find(({ name }) => name === vendor)
  if (preference !== undefined) {
    const wanted: Wanted = { vendors: vendorsFor(preference, symbol), on: preference.on }
    return wanted
  }
  if (!vendor.includes(",")) return null
  const vendors = vendor.split(",").map((word) => {
    const [name = "", ...rest] = word.trim().split(":")
    return { vendor: name, symbol: rest.length === 0 ? symbol : rest.join(":") }
  })
  const names = vendors.map(({ vendor: name }) => name)
  if (names.includes("") || new Set(names).size < names.length) {
    return yield* new UsageError({
      message: `--vendor ${vendor}: expected different vendors with commas between them, such as yahoo,stooq`
    })
  }
  const wanted: Wanted = { vendors }
  return wanted
})

const live = Effect.promise(() => import("../../../layers/preferred/PreferredVendorsLive.ts"))

/** Over the cache that there is: this process's own, or its owner's. */
const service = <A, E, R>(use: (preferred: PreferredVendors["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(live, ({ layer }) => Effect.provide(PreferredVendors.use(use), layer))

export const showPreferredPlan = Effect.fnUntraced(function* (query: PreferredQuery, json: boolean) {
  const { line, lines, terminal } = yield* Output
  const plan = yield* service((preferred) => preferred.plan(query))
  if (json) return yield* line(JSON.stringify(preferredPlanDocument(plan)))
  yield* lines(preferredPlanLines(plan, styleOf(terminal)))
})

export const readPreferred = Effect.fnUntraced(function* (
  query: PreferredQuery,
  input: { readonly symbol: string; readonly onMissing: "fail" | "partial"; readonly asOf: Option.Option<number> }
) {
  const { note } = yield* Output
  const label = { label: `fetching ${input.symbol}`, units: "requests", things: "rows" }
  return yield* withProgress(label, ({ report }) =>
    service((preferred) =>
      preferred.read(query, {
        onMissing: input.onMissing,
        progress: ({ done, of, rows }) => report({ done, of, count: rows }),
        ...(Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {})
      })
    )
  ).pipe(Effect.onInterrupt(() => note("interrupted; what was fetched is kept, and the next run goes on from there")))
})

/** What is said below and beside the rows; ends with 3 where a part could not be had. */
export const concludePreferred = Effect.fnUntraced(function* (
  answer: PreferredAnswer,
  how: { readonly json: boolean; readonly toTerminal: boolean }
) {
  const { errorTerminal, line, note, terminal } = yield* Output
  if (how.json) yield* line(JSON.stringify(preferredDocument(answer)))
  else if (how.toTerminal) yield* line(styleOf(terminal).dim(preferredLine(answer)))
  else if (errorTerminal.isTerminal) yield* note(styleOf(errorTerminal).dim(preferredLine(answer)))
  for (const text of refusedLines(answer)) yield* note(styleOf(errorTerminal).yellow(text))
  if (answer.pieces.every(({ state }) => isComplete(state))) return
  for (const text of preferredHoles(answer)) yield* note(styleOf(errorTerminal).yellow(text))
  return yield* new Ended({ code: 3 })
})

/** For the rows of an answer, whatever their format. */
export const rowsOf = (answer: PreferredAnswer, limit: number | null) =>
  limit === null ? answer.bars : Stream.take(answer.bars, limit)
