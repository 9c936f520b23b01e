/** What an answer of this vendor means: rows, or one of the reasons for none. */
import { Effect, Result } from "effect"
import {
  NotEntitled,
  NotFound,
  Rejected,
  Throttled,
  Unavailable,
  type VendorErrorReason
} from "../../../services/Adapter.ts"
import { beginningOf } from "../../../services/PayloadDraft.ts"
import { decodeBeginning } from "../../http/decodeContent.ts"
import type { HttpAnswer } from "../../http/HttpAnswer.ts"
import { retryAfter } from "../../http/retryAfter.ts"
import { refusalOfStatus } from "../../http/vendorAnswer.ts"
import { jsonDocument, resolvePointer } from "../records/JsonRecords.ts"
import type { ErrorRule } from "./HttpCatalogue.ts"

/** Rules look at so much of a body, unpacked; JSON pointers at bodies that are no longer. */
const readable = 65_536
const shown = 200
/** How long a vendor that throttles is left alone when it does not say how long. */
const rest = 60_000

export type Meaning = { readonly empty: string } | { readonly refusal: VendorErrorReason | null }

const utf8 = new TextDecoder()

interface Body {
  readonly text: string
  readonly json: unknown
}

const bodyOf = (answer: HttpAnswer): Effect.Effect<Body> => {
  const whole = answer.body instanceof Uint8Array
  const encoding = answer.headers["content-encoding"] ?? null
  return Effect.map(decodeBeginning(beginningOf(answer.body), encoding, readable + 1), (plain) => {
    const isWhole = whole && plain.length <= readable
    return {
      text: utf8.decode(plain.subarray(0, readable)),
      json: isWhole ? Result.getOrElse(jsonDocument(plain), () => undefined) : undefined
    }
  })
}

const isSomething = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && value !== "" && value !== 0

const holds = (rule: ErrorRule, status: number, body: Body): boolean => {
  if (rule.statuses !== null && !rule.statuses.includes(status)) return false
  const named = rule.pointer === null ? undefined : resolvePointer(body.json, rule.pointer)
  if (rule.pointer !== null && !isSomething(named)) return false
  if (rule.matches === null) return true
  const text = rule.pointer === null ? body.text : typeof named === "string" ? named : JSON.stringify(named)
  return rule.matches.test(text)
}

const reasonOf = (rule: ErrorRule, answer: HttpAnswer, now: number, said: string): VendorErrorReason => {
  const message = `HTTP ${answer.status}${said === "" ? "" : `: ${said}`}`
  switch (rule.means) {
    case "Throttled":
      return new Throttled({ retryAfter: retryAfter(answer.headers, now) ?? rule.retryAfter ?? rest })
    case "NotEntitled":
      return new NotEntitled({ message })
    case "NotFound":
      return new NotFound({ message })
    case "Unavailable":
      return new Unavailable({ message })
    default:
      return new Rejected({ message })
  }
}

/** `scrub` takes our credentials out of what the vendor says of them. */
export const meaningOf = Effect.fnUntraced(function* (
  answer: HttpAnswer,
  rules: ReadonlyArray<ErrorRule>,
  now: number,
  scrub: (text: string) => string
): Effect.fn.Return<Meaning> {
  const answers = refusalOfStatus(answer, { now, rest, said: "" }) === null
  if (answers && rules.length === 0) return { refusal: null }
  const body = yield* bodyOf(answer)
  const rule = rules.find((one) => holds(one, answer.status, body))
  if (answers && rule === undefined) return { refusal: null }
  const words = scrub(body.text.replace(/\s+/g, " ").trim())
  const said = words.length > shown ? `${words.slice(0, shown)}...` : words
  if (rule?.means === "Empty") return { empty: `HTTP ${answer.status}${said === "" ? "" : `: ${said}`}` }
  if (rule !== undefined) return { refusal: reasonOf(rule, answer, now, said) }
  return { refusal: refusalOfStatus(answer, { now, rest, said }) }
})
