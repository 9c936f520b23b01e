import { chance } from "../ModelMarket.ts"

/** What Yahoo may say instead of a chart, as it was recorded or reported. */
export const refusals = {
  throttledText: { status: 429, type: "text/plain", body: "Too Many Requests\r\n" },
  throttledPage: { status: 429, type: "text/html", body: "<html><body><h1>Too Many Requests</h1></body></html>" },
  throttledOk: { status: 200, type: "text/plain", body: "Too Many Requests\r\n" },
  crumb: {
    status: 401,
    type: "application/json",
    body: '{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}'
  },
  delisted: {
    status: 404,
    type: "application/json",
    body: '{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}'
  },
  noData: {
    status: 400,
    type: "application/json",
    body: `{"chart":{"result":null,"error":{"code":"Bad Request","description":"Data doesn't exist for startDate = 1, endDate = 2"}}}`
  },
  unprocessable: {
    status: 422,
    type: "application/json",
    body: '{"chart":{"result":null,"error":{"code":"Unprocessable Entity","description":"invalid range"}}}'
  },
  page: {
    status: 200,
    type: "text/html",
    body: "<html><head><title>Yahoo</title></head><body><h1>Will be right back...</h1></body></html>"
  },
  serverError: { status: 500, type: "text/plain", body: "Internal Server Error" },
  badGateway: { status: 502, type: "text/html", body: "<html><body><h1>502 Bad Gateway</h1></body></html>" },
  noChart: { status: 200, type: "application/json", body: '{"quoteResponse":{"result":[],"error":null}}' }
} as const
export type Refusal = keyof typeof refusals

/** What happens to one request: a refusal, no answer at all, half a body, or a body that stops without an end. */
export type Trouble = Refusal | "dropped" | "truncated" | "stalled"

/**
 * Everything that can be wrong with Yahoo, switchable at run time. Shares are from 0 to 1 and follow from the seed, the request
 * and the number of the attempt.
 */
export interface YahooFaults {
  readonly throttled: number
  readonly unavailable: number
  readonly dropped: number
  readonly truncated: number
  readonly stalled: number
  /** Every request meets this; null: as the shares say. */
  readonly always: Trouble | null
  /** `Retry-After` of what is throttled; null: none is sent. */
  readonly retryAfter: string | null
  /** How long an answer takes, in milliseconds; drawn between the two. */
  readonly delay: readonly [least: number, most: number]
  /** Rows of nulls on weekdays without a session. */
  readonly nullRows: boolean
  /** Every seventh row comes again with another close. */
  readonly duplicateRows: boolean
  /** A row at the end that was asked for, and one behind it. */
  readonly rowsAtEnd: boolean
  /** Rows of before and after trading that were not asked for. */
  readonly leak: boolean
  /** Every third day is stamped 23:00 of the evening before. */
  readonly earlyStamps: boolean
  /** Today has a row of its own and a live one. */
  readonly separateLive: boolean
  /** The keys of events are not their dates. */
  readonly strangeKeys: boolean
}

export const noFaults: YahooFaults = {
  throttled: 0,
  unavailable: 0,
  dropped: 0,
  truncated: 0,
  stalled: 0,
  always: null,
  retryAfter: null,
  delay: [0, 0],
  nullRows: false,
  duplicateRows: false,
  rowsAtEnd: false,
  leak: false,
  earlyStamps: false,
  separateLive: false,
  strangeKeys: false
}

/** Everything wrong with bodies at once; a correct client has the same bars all the same. */
export const strangeBodies: Partial<YahooFaults> = {
  nullRows: true,
  duplicateRows: true,
  rowsAtEnd: true,
  leak: true,
  earlyStamps: true,
  separateLive: true,
  strangeKeys: true
}

export const troubleOf = (faults: YahooFaults, seed: number, request: string, attempt: number): Trouble | null => {
  if (faults.always !== null) return faults.always
  const draw = chance(seed, "trouble", request, attempt)
  const ladder: ReadonlyArray<readonly [number, Trouble]> = [
    [faults.throttled, attempt % 2 === 0 ? "throttledText" : "throttledOk"],
    [faults.unavailable, attempt % 2 === 0 ? "page" : "badGateway"],
    [faults.dropped, "dropped"],
    [faults.truncated, "truncated"],
    [faults.stalled, "stalled"]
  ]
  let bound = 0
  for (const [share, trouble] of ladder) {
    bound += share
    if (draw < bound) return trouble
  }
  return null
}
