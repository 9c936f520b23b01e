/**
 * How often an endpoint may be asked, by all clients together: a flood of requests for the one does not keep out the others. What vendors are
 * asked is bounded by their quotas.
 */
import { problem } from "./problem.ts"
import type { Refusal } from "./Refusal.ts"
import { isMarket } from "./Routes.ts"

/** Of one endpoint. */
const perSecond = 200
const atOnce = 400

const interval = 1_000 / perSecond

/** Null: go on. `now` in milliseconds of a clock that is never set back. */
export const make = (): ((template: string, now: number) => Refusal | null) => {
  const next = new Map<string, number>()
  return (template, now) => {
    if (!isMarket(template)) return null
    const at = Math.max(next.get(template) ?? Number.NEGATIVE_INFINITY, now - (atOnce - 1) * interval)
    if (at > now) {
      const detail = `${template} is asked more than ${perSecond} times a second; wait a moment`
      return problem(429, { detail, error: "TooManyRequests" }, { "retry-after": "1" })
    }
    next.set(template, at + interval)
    return null
  }
}
