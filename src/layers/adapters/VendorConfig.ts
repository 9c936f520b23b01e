/**
 * The kinds of adapter that `tapestry.yaml` can name. A kind is a schema of its own keys and a check of the whole; what it
 * resolves to carries the kind in `adapter`. A new kind is a line in `decodeVendor` and one in ConfiguredVendors.
 */
import { type Path, Result, Schema } from "effect"
import { unknownCalendar } from "../calendar/unknownCalendar.ts"
import { type DocumentProblem, problemsOf } from "../config/issueProblems.ts"
import { nearest } from "../config/nearest.ts"
import * as Fallback from "./fallback/FallbackVendor.ts"
import { type FileVendor, FileVendorSpec } from "./file/FileCatalogue.ts"
import * as File from "./file/resolveVendor.ts"
import { type HttpVendor, HttpVendorSpec } from "./http/HttpCatalogue.ts"
import * as Http from "./http/resolveVendor.ts"
import * as Ibkr from "./ibkr/IbkrVendor.ts"
import * as Replay from "./replay/ReplayVendor.ts"
import * as Simulated from "./simulated/SimulatedVendor.ts"
import * as Yahoo from "./yahoo/YahooVendor.ts"

/** A vendor of the configuration, checked and with nothing left out. */
export type VendorConfig =
  | Fallback.FallbackVendor
  | FileVendor
  | HttpVendor
  | Ibkr.IbkrVendor
  | Replay.ReplayVendor
  | Simulated.SimulatedVendor
  | Yahoo.YahooVendor

/** What a vendor's part of the document is read with. */
export interface VendorContext {
  /** What relative paths start from. */
  readonly baseDir: string
  readonly path: Path.Path
  /** Most bytes of one payload of the archive. */
  readonly payloadLimit: number
  /** The names of the trading calendars that there are. */
  readonly calendars: ReadonlyArray<string>
}

type Resolved<A> = Result.Result<A, ReadonlyArray<DocumentProblem>>

const kinds = ["fallback", "file", "http", "ibkr", "replay", "simulated", "yahoo"] as const

const vendorName = /^[a-z0-9][a-z0-9._-]*$/

/** Decodes one vendor by the schema of its kind, with every mistake placed below `vendors.<name>`. */
const decodedBy =
  <Spec, Encoded, A>(
    schema: Schema.Codec<Spec, Encoded>,
    resolve: (name: string, spec: Spec, context: VendorContext) => Resolved<A>
  ) =>
  (name: string, raw: unknown, context: VendorContext): Resolved<A> => {
    const decoded = Schema.decodeUnknownResult(schema, { errors: "all", onExcessProperty: "error" })(raw)
    return Result.isFailure(decoded)
      ? Result.fail(
          problemsOf(decoded.failure.issue).map((problem) => ({ ...problem, path: ["vendors", name, ...problem.path] }))
        )
      : resolve(name, decoded.success, context)
  }

const fallback = decodedBy(Fallback.FallbackVendorSpec, Fallback.resolveVendor)

const file = decodedBy(FileVendorSpec, File.resolveVendor)

const http = decodedBy(HttpVendorSpec, Http.resolveVendor)

const ibkr = decodedBy(Ibkr.IbkrVendorSpec, (name, spec, { calendars, payloadLimit }) => {
  const problem = unknownCalendar(["vendors", name, "calendar"], spec.calendar, calendars)
  return problem === null ? Ibkr.resolveVendor(name, spec, payloadLimit) : Result.fail([problem])
})

const replay = decodedBy(Replay.ReplayVendorSpec, Replay.resolveVendor)

const simulated = decodedBy(Simulated.SimulatedVendorSpec, Simulated.resolveVendor)

const yahoo = decodedBy(Yahoo.YahooVendorSpec, (name, spec, { calendars, payloadLimit }) => {
  const problem = unknownCalendar(["vendors", name, "calendar"], spec.calendar, calendars)
  return problem === null ? Yahoo.resolveVendor(name, spec, payloadLimit) : Result.fail([problem])
})

const adapterOf = (raw: unknown): unknown =>
  typeof raw === "object" && raw !== null && "adapter" in raw ? raw.adapter : undefined

/** The vendor that a part of the document means. */
export const decodeVendor = (name: string, raw: unknown, context: VendorContext): Resolved<VendorConfig> => {
  const misnamed: ReadonlyArray<DocumentProblem> = vendorName.test(name)
    ? []
    : [
        {
          path: ["vendors", name],
          expected: "a name of lower-case letters, digits, - _ and .",
          found: JSON.stringify(name),
          remedy: null
        }
      ]
  const vendor = ofKind(name, raw, context)
  if (misnamed.length === 0) return vendor
  return Result.fail(Result.isFailure(vendor) ? [...misnamed, ...vendor.failure] : misnamed)
}

const ofKind = (name: string, raw: unknown, context: VendorContext): Resolved<VendorConfig> => {
  const at = ["vendors", name]
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    return Result.fail([{ path: at, expected: "a mapping with the key adapter", found: null, remedy: null }])
  }
  const adapter = adapterOf(raw)
  switch (adapter) {
    case "fallback":
      return fallback(name, raw, context)
    case "file":
      return file(name, raw, context)
    case "http":
      return http(name, raw, context)
    case "ibkr":
      return ibkr(name, raw, context)
    case "replay":
      return replay(name, raw, context)
    case "simulated":
      return simulated(name, raw, context)
    case "yahoo":
      return yahoo(name, raw, context)
    default: {
      const meant = typeof adapter === "string" ? nearest(adapter, kinds) : null
      return Result.fail([
        {
          path: [...at, "adapter"],
          expected: `the kind of adapter: ${kinds.map((kind) => `"${kind}"`).join(", ")}`,
          found: adapter === undefined ? "nothing" : null,
          remedy: adapter === undefined ? "add it" : meant === null ? null : `did you mean ${meant}?`
        }
      ])
    }
  }
}
