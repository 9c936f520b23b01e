/**
 * What the numbers mean that a gateway sends with its messages, on whichever of the library's events they arrive: `info` carries
 * all that belong to no request (also 326, which ends the connection, and 1100), `error` those of a request and the library's own.
 *
 * A code decides with its text where IB uses one number for several things: 162 is a pacing violation, an answer without rows, or a
 * failure, and only the words tell.
 */
import {
  CompetingSession,
  Disconnected,
  type IbkrErrorReason,
  InvalidRequest,
  LinesExhausted,
  NoPermission,
  NoSuchContract,
  PacingViolation,
  RequestFailed,
  Undecodable
} from "../../../services/IbkrSession.ts"

export type CodeKind =
  | "Connection"
  | "ClientId"
  | "Version"
  | "UpstreamLost"
  | "UpstreamRestored"
  | "Farm"
  | "Permission"
  | "Delayed"
  | "Pacing"
  | "Quota"
  | "NotFound"
  | "Competing"
  | "Validation"
  | "Failed"
  | "Stale"
  | "Reset"
  | "NoData"
  | "Decode"
  | "Notice"

/**
 * `scope`: whom it concerns. `fatal`: it ends what it concerns (for a session the connection). `retryable`: the same may succeed
 * when it is tried again.
 */
export interface CodeMeaning {
  readonly kind: CodeKind
  readonly scope: "request" | "session"
  readonly fatal: boolean
  readonly retryable: boolean
}

const of = (
  kind: CodeKind,
  scope: CodeMeaning["scope"],
  { fatal = false, retryable = false }: Partial<Pick<CodeMeaning, "fatal" | "retryable">> = {}
): CodeMeaning => ({ kind, scope, fatal, retryable })

const ends = { fatal: true }
const again = { fatal: true, retryable: true }

const connection = of("Connection", "session", again)
const farm = of("Farm", "session", { retryable: true })
const permission = of("Permission", "request", ends)
const quota = of("Quota", "request", again)
const validation = of("Validation", "request", ends)
const notice = of("Notice", "request")
const stale = of("Stale", "request", again)

const meanings: Readonly<Record<number, CodeMeaning>> = {
  100: of("Pacing", "session", { retryable: true }),
  101: quota,
  102: stale,
  103: validation,
  110: validation,
  162: of("Failed", "request", again),
  165: notice,
  200: of("NotFound", "request", ends),
  300: notice,
  309: quota,
  310: notice,
  // A book was halted, and has to be asked for again; it was reset, and goes on with an empty one.
  316: stale,
  317: of("Reset", "request"),
  320: validation,
  321: validation,
  322: stale,
  326: of("ClientId", "session", again),
  354: permission,
  366: notice,
  420: of("Pacing", "request", again),
  // The library's own, about this end of the connection.
  501: notice,
  502: connection,
  503: of("Version", "session", ends),
  504: connection,
  505: of("Decode", "session"),
  506: of("Version", "session", ends),
  507: connection,
  509: connection,
  1100: of("UpstreamLost", "session", { retryable: true }),
  1101: of("UpstreamRestored", "session"),
  1102: of("UpstreamRestored", "session"),
  1300: connection,
  2103: farm,
  2104: farm,
  2105: farm,
  2106: farm,
  2107: farm,
  2108: farm,
  2110: of("UpstreamLost", "session", { retryable: true }),
  2119: farm,
  2157: farm,
  2158: farm,
  10089: permission,
  10090: of("Notice", "request"),
  10091: permission,
  10167: of("Delayed", "request"),
  10168: permission,
  10182: stale,
  10186: permission,
  10187: of("Failed", "request", again),
  10189: permission,
  10190: quota,
  10197: of("Competing", "request", again),
  10225: stale
}

const unknownNotice = of("Notice", "session")
const unknownFailure = of("Failed", "request", ends)

const says = (text: string, ...words: ReadonlyArray<string>): boolean => {
  const lower = text.toLowerCase()
  return words.some((word) => lower.includes(word))
}

/**
 * What a message means. `requestId` is -1 where it concerns no request. A code that is not known ends the request that it names,
 * unless IB marks it as a warning; one that names no request is a notice.
 */
export const meaningOf = (code: number, text: string, requestId: number): CodeMeaning => {
  if (code === 162 || code === 10187) {
    if (says(text, "pacing violation")) return of("Pacing", "request", again)
    if (says(text, "no data", "query returned no data", "no ticks")) return of("NoData", "request", ends)
    if (says(text, "query cancelled", "query canceled")) return notice
    if (says(text, "no market data permissions", "not subscribed")) return permission
  }
  if (code === 321 && says(text, "max rate of messages", "pacing")) return of("Pacing", "request", again)
  const known = meanings[code]
  if (known !== undefined) return known
  if ((code >= 2100 && code < 3000) || says(text, "warning:")) return requestId === -1 ? unknownNotice : notice
  return requestId === -1 ? unknownNotice : unknownFailure
}

/** What a gateway does about a request comes from its words; how long IB's ten-minute window takes is known. */
const pacingRest = 15_000

const sorts = { 101: "market-data", 309: "depth", 10190: "tick-by-tick" } as const

const isSort = (code: number): code is keyof typeof sorts => code in sorts

/** The error that a message makes of the request it names; null where the request lives on. */
export const requestError = (code: number, message: string): IbkrErrorReason | null => {
  const { fatal, kind, scope } = meaningOf(code, message, 1)
  if (!fatal) return null
  switch (kind) {
    case "Permission":
      return new NoPermission({ code, message })
    case "Pacing":
      return new PacingViolation({ code, message, retryAfter: pacingRest })
    case "Quota":
      return new LinesExhausted({ code, message, sort: isSort(code) ? sorts[code] : "market-data" })
    case "NotFound":
      return new NoSuchContract({ code, message })
    case "Competing":
      return new CompetingSession({ code, message })
    case "Validation":
      return new InvalidRequest({ code, message })
    case "Decode":
      return new Undecodable({ message })
    default:
      return scope === "session"
        ? new Disconnected({ message })
        : meaningOf(code, message, 1).retryable
          ? new RequestFailed({ code, message })
          : new InvalidRequest({ code, message })
  }
}

/** The port to which a gateway goes, which its message (1300) ends with; null where it names none. */
export const portOf = (text: string): number | null => {
  const port = Number(/port\D{0,12}(\d{2,5})\D*$/i.exec(text)?.[1])
  return port >= 1 && port <= 65_535 ? port : null
}

const farmKinds: Readonly<
  Record<number, readonly ["market" | "history" | "definitions", "ok" | "broken" | "inactive" | "connecting"]>
> = {
  2103: ["market", "broken"],
  2104: ["market", "ok"],
  2105: ["history", "broken"],
  2106: ["history", "ok"],
  2107: ["history", "inactive"],
  2108: ["market", "inactive"],
  2119: ["market", "connecting"],
  2157: ["definitions", "broken"],
  2158: ["definitions", "ok"]
}

/** Behind the last colon; of one that is inactive right behind the end of a sentence, and a name may have a dot itself. */
const farmName = (text: string): string => {
  const colon = text.lastIndexOf(":")
  return text.slice((colon < 0 ? text.indexOf(".") : colon) + 1).trim()
}

/** The farm of which a message speaks. Null where it speaks of none. */
export const farmOf = (code: number, text: string) => {
  const known = farmKinds[code]
  if (known === undefined) return null
  const [serves, state] = known
  return { name: farmName(text), serves, state }
}
