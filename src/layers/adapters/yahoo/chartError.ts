/** What Yahoo says instead of a chart. */
import { Option, Schema } from "effect"
import { NotFound, Rejected, Throttled, Unavailable, type VendorErrorReason } from "../../../services/Adapter.ts"
import { beginningOf } from "../../../services/PayloadDraft.ts"
import type { HttpAnswer } from "../../http/HttpAnswer.ts"
import { retryAfter } from "../../http/retryAfter.ts"
import { refusalOfStatus } from "../../http/vendorAnswer.ts"

const Envelope = Schema.Struct({
  error: Schema.Struct({
    code: Schema.optionalKey(Schema.NullOr(Schema.String)),
    description: Schema.optionalKey(Schema.NullOr(Schema.String))
  })
})
const ErrorBody = Schema.Union([Schema.Struct({ chart: Envelope }), Schema.Struct({ finance: Envelope })])
const decode = Schema.decodeUnknownOption(Schema.fromJsonString(ErrorBody))

export interface ChartError {
  readonly code: string
  readonly description: string
}

/** An error is short; what is longer is not looked through for one. */
const longest = 65_536
const utf8 = new TextDecoder()

/** How nearly every chart begins and ends: it says itself that it has no error, and need not be parsed for one. */
const opening = Buffer.from('{"chart":{"result":[{')
const ending = Buffer.from('}],"error":null}}')
const saysNoError = (body: Uint8Array): boolean =>
  body.length >= opening.length + ending.length &&
  opening.compare(body, 0, opening.length) === 0 &&
  ending.compare(body, body.length - ending.length) === 0

/** The error that a body states; null when it states none. */
export const chartError = (body: Uint8Array): ChartError | null => {
  if (body.length > longest || saysNoError(body)) return null
  return Option.match(decode(utf8.decode(body)), {
    onNone: () => null,
    onSome: (found) => {
      const { code, description } = "chart" in found ? found.chart.error : found.finance.error
      return { code: code ?? "", description: description ?? code ?? "" }
    }
  })
}

/** An answer that there is nothing in the range: as good as an empty chart. */
export const saysEmpty = ({ description }: ChartError): boolean => /data doesn't exist for startdate/i.test(description)

const throttling = /too many requests/i

/** The first words of a body that is no JSON, tags taken off. */
const wordsOf = (body: Uint8Array): string =>
  utf8
    .decode(body.subarray(0, 4096))
    .replace(/<(script|style|head)[^>]*>.*?<\/\1>/gis, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 120)

const isJson = (body: Uint8Array): boolean => {
  const first = body.find((code) => code > 32)
  return first === 123 || first === 91
}

/**
 * What an answer refuses; null when it is one, an empty one included. `rest` (milliseconds) is how long Yahoo is left alone when
 * it throttles without saying how long; it never does say.
 *
 * A symbol is unknown only where Yahoo says so in its own words: a page of a proxy with status 404 would otherwise be believed
 * for a day, as would one with 401.
 */
export const refusalOf = (
  answer: Pick<HttpAnswer, "status" | "headers" | "body">,
  { now, rest }: { readonly now: number; readonly rest: number }
): VendorErrorReason | null => {
  const { headers, status } = answer
  const body = beginningOf(answer.body)
  const error = chartError(body)
  const json = isJson(body)
  const words = json ? "" : wordsOf(body)
  if (status === 429 || throttling.test(error?.description ?? words)) {
    return new Throttled({ retryAfter: retryAfter(headers, now) ?? rest })
  }
  const said = error === null ? words : error.description
  const message = said === "" ? `HTTP ${status}` : `HTTP ${status}: ${said}`
  if (error !== null) {
    if (error.code === "Not Found" || (status === 404 && json)) return new NotFound({ message: error.description })
    if (saysEmpty(error)) return null
    if (status < 500) return new Rejected({ message })
  }
  if (status >= 200 && status < 300) {
    // A page where a chart should be: "Will be right back", a consent form.
    return json ? null : new Unavailable({ message: `a page instead of a chart: ${words}` })
  }
  const general = refusalOfStatus(answer, { now, rest, said })
  return general?._tag === "NotFound" || general?._tag === "NotEntitled" ? new Rejected({ message }) : general
}
