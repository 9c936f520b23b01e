/** Sessions, requests and responses as rows of tables and as documents. */
import type { Request } from "../../domain/Request.ts"
import type { Response } from "../../domain/Response.ts"
import type { Session } from "../../domain/Session.ts"
import { format as formatRange } from "../../domain/TimeRange.ts"
import { instant, instantOrNull } from "./Documents.ts"
import { bytes, duration } from "./Numbers.ts"
import type { Column } from "./Table.ts"

const seconds = (millis: number) => new Date(millis).toISOString().slice(0, 19).replace("T", " ")
const digits = (sha256: string | null) => (sha256 === null ? "-" : sha256.slice(0, 12))

export const sessionColumns: ReadonlyArray<Column> = [
  { header: "session", align: "right" },
  { header: "started (UTC)", align: "left" },
  { header: "took", align: "right" },
  { header: "source", align: "left" },
  { header: "mode", align: "left" },
  { header: "outcome", align: "left" },
  { header: "reason", align: "left" }
]

export const sessionRow = (session: Session): ReadonlyArray<string> => [
  String(session.id),
  seconds(session.startedAt),
  session.endedAt === null ? "-" : duration(session.endedAt - session.startedAt),
  session.source,
  session.mode,
  session.outcome ?? "open",
  session.reason ?? ""
]

export const sessionDocument = (session: Session) => ({
  ...session,
  asOf: instantOrNull(session.asOf),
  startedAt: instant(session.startedAt),
  endedAt: instantOrNull(session.endedAt)
})

export const requestColumns: ReadonlyArray<Column> = [
  { header: "request", align: "right" },
  { header: "session", align: "right" },
  { header: "made (UTC)", align: "left" },
  { header: "source", align: "left" },
  { header: "kind", align: "left" },
  { header: "cache", align: "left" },
  { header: "outcome", align: "left" },
  { header: "response", align: "right" },
  { header: "identity", align: "left" },
  { header: "cause", align: "left" }
]

export const requestRow = (request: Request): ReadonlyArray<string> => [
  String(request.id),
  String(request.session),
  seconds(request.createdAt),
  request.source,
  request.kind,
  request.cacheMode,
  request.outcome ?? "open",
  request.response === null ? "-" : String(request.response),
  digits(request.identity),
  request.cause ?? ""
]

export const requestDocument = (request: Request) => ({
  ...request,
  subject:
    request.subject === null
      ? null
      : {
          series: request.subject.series,
          range: { start: instant(request.subject.range.start), end: instant(request.subject.range.end) }
        },
  createdAt: instant(request.createdAt)
})

export const responseColumns: ReadonlyArray<Column> = [
  { header: "response", align: "right" },
  { header: "request", align: "right" },
  { header: "fetched (UTC)", align: "left" },
  { header: "status", align: "left" },
  { header: "attempt", align: "right" },
  { header: "waited", align: "right" },
  { header: "size", align: "right" },
  { header: "sha256", align: "left" },
  { header: "cause", align: "left" }
]

export const responseRow = (response: Response): ReadonlyArray<string> => [
  String(response.id),
  String(response.request),
  seconds(response.fetchedAt),
  response.status,
  String(response.attempt),
  duration(response.waited),
  bytes(response.sizeBytes),
  digits(response.sha256),
  response.cause ?? (response.revalidated === undefined ? "" : `confirms ${response.revalidated}`)
]

export const responseDocument = (response: Response) => ({
  ...response,
  askedAt: instant(response.askedAt),
  fetchedAt: instant(response.fetchedAt)
})

/** Name and value, one a line, for `archive show`. */
export const requestFields = (request: Request): ReadonlyArray<readonly [string, string]> => [
  ["request", String(request.id)],
  ["session", String(request.session)],
  ["made", instant(request.createdAt)],
  ["source", request.source],
  ["asked", `${request.method} ${request.kind}`],
  ["params", JSON.stringify(request.params)],
  ["body", JSON.stringify(request.body)],
  ["identity", request.identity],
  ["bucket", request.bucket ?? "-"],
  ["cache tag", request.cacheTag ?? "-"],
  ["cache mode", request.ttl === null ? request.cacheMode : `${request.cacheMode}, ttl ${duration(request.ttl)}`],
  ["series", request.subject?.series ?? "-"],
  ["range", request.subject === null ? "-" : formatRange(request.subject.range)],
  ["outcome", request.outcome ?? "open"],
  ["response", request.response === null ? "-" : String(request.response)],
  ["cause", request.cause ?? "-"]
]

export const sessionFields = (session: Session): ReadonlyArray<readonly [string, string]> => [
  ["session", String(session.id)],
  ["source", session.source],
  ["mode", session.mode],
  ["as of", instantOrNull(session.asOf) ?? "-"],
  ["started", instant(session.startedAt)],
  ["ended", instantOrNull(session.endedAt) ?? "-"],
  ["outcome", session.outcome ?? "open"],
  ["reason", session.reason ?? "-"]
]

export const responseFields = (response: Response): ReadonlyArray<readonly [string, string]> => [
  ["response", String(response.id)],
  ["request", String(response.request)],
  ["session", String(response.session)],
  ["asked", instant(response.askedAt)],
  ["fetched", instant(response.fetchedAt)],
  ["status", response.status],
  ["attempt", String(response.attempt)],
  ["waited", duration(response.waited)],
  ["sha256", response.sha256 ?? "-"],
  ...(response.revalidated === undefined
    ? []
    : [["confirms", `response ${response.revalidated}, whose bytes these are`] as const]),
  ["size", `${bytes(response.sizeBytes)}`],
  ["identity", response.identity],
  ["cause", response.cause ?? "-"],
  ["metadata", JSON.stringify(response.metadata)]
]
