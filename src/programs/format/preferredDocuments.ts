/** The JSON documents of `bars` with several vendors; docs/cli.md describes them. */
import { canonical } from "../../domain/SeriesKey.ts"
import type { PreferredAnswer, PreferredPlan, Refused } from "../../services/PreferredVendors.ts"
import { coverageDocument, planDocument, rangeDocument } from "./Documents.ts"

const refusedDocument = (range: { readonly start: number; readonly end: number }) => (refused: Refused) => ({
  vendor: refused.vendor,
  ...coverageDocument({ ...range, state: refused.state })
})

export const preferredDocument = (answer: PreferredAnswer) => ({
  range: rangeDocument(answer.range),
  series: answer.series.map((series) => (series === null ? null : canonical(series))),
  rowCount: answer.rowCount,
  requests: answer.requests,
  pieces: answer.pieces.map((piece) => ({
    vendor: piece.vendor,
    ...coverageDocument(piece),
    refused: piece.refused.map(refusedDocument(piece))
  }))
})

export const preferredPlanDocument = (plan: PreferredPlan) => ({
  range: rangeDocument(plan.range),
  plans: plan.plans.map((one) => ({
    vendor: one.vendor,
    refused: one.refused.map(refusedDocument(one.plan.range)),
    ...planDocument(one.plan)
  }))
})
