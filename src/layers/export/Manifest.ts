/**
 * The manifest of an export: what was asked, what is there and why the rest is not, which answers the rows came from, and hashes
 * of it all. docs/export.md describes the file for whoever reads it without us.
 *
 * Every byte of `manifest.json` is determined by what it says: it is this text and no other (two spaces, keys in the order in which
 * they are written, a line end at the end), and `self` is the sha256 of the canonical JSON of all of it but `self`.
 */
import { hash } from "node:crypto"
import { Option, Result, Schema } from "effect"
import { canonicalJson } from "../../domain/CanonicalJson.ts"

export const manifestName = "manifest.json"
export const sumsName = "SHA256SUMS"
export const formatVersion = "tapestry.export.v1"

export const ExportFormat = Schema.Literals(["csv", "ndjson", "arrow"])
export type ExportFormat = typeof ExportFormat.Type

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Sha256 = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))
/** ISO 8601 with milliseconds, in UTC. */
const Instant = Schema.String.check(
  Schema.makeFilter((text) => {
    const millis = Date.parse(text)
    return (!Number.isNaN(millis) && new Date(millis).toISOString() === text) || "not an instant in ISO 8601"
  })
)

/**
 * Rows that one response gave, one after the other: the stamps of the first and the last, and how many. `from` is the number of the first
 * of them in the file, from 0, where several rows may have one stamp.
 */
export const ReceiptRun = Schema.Struct({ from: Schema.optionalKey(Count), first: Instant, last: Instant, rows: Count })

/**
 * An answer that was used: for rows, or because it proves that there are none. `decoderVersion` is null where it gave no rows.
 * `identity` is the sha256 of the canonical request (docs/archive.md), `sha256` that of the exact bytes that the vendor sent.
 */
export const ExportReceipt = Schema.Struct({
  response: Schema.Int,
  request: Schema.Int,
  identity: Sha256,
  vendor: Schema.String,
  kind: Schema.String,
  status: Schema.String,
  askedAt: Instant,
  fetchedAt: Instant,
  sha256: Schema.NullOr(Sha256),
  sizeBytes: Count,
  decoderVersion: Schema.NullOr(Schema.Int),
  rows: Count,
  runs: Schema.Array(ReceiptRun)
})
export interface ExportReceipt extends Schema.Schema.Type<typeof ExportReceipt> {}

/** `blocks` tile the file, each `rows bytes crc32 sum moment` (see blockSums.ts); `rowHash` is that of domain/rowBytes.ts, of records of domain/records/recordBytes.ts. */
export const ExportFile = Schema.Struct({
  name: Schema.String,
  bytes: Count,
  sha256: Sha256,
  rows: Count,
  first: Schema.NullOr(Instant),
  last: Schema.NullOr(Instant),
  rowHash: Sha256,
  blocks: Schema.Array(Schema.String.check(Schema.isPattern(/^\d+ \d+ [0-9a-f]{8} \d+ \d+$/)))
})
export interface ExportFile extends Schema.Schema.Type<typeof ExportFile> {}

const Range = { start: Instant, end: Instant }

export const ExportCoverage = Schema.Struct({
  ...Range,
  status: Schema.String,
  response: Schema.optionalKey(Schema.Int),
  recheckAfter: Schema.optionalKey(Schema.NullOr(Instant)),
  until: Schema.optionalKey(Instant),
  calendar: Schema.optionalKey(Schema.String),
  cause: Schema.optionalKey(Schema.Struct({ _tag: Schema.String, message: Schema.String })),
  retryAfter: Schema.optionalKey(Schema.Finite),
  flight: Schema.optionalKey(Schema.String)
})
export interface ExportCoverage extends Schema.Schema.Type<typeof ExportCoverage> {}

export const ExportedSeries = Schema.Struct({
  series: Schema.String,
  range: Schema.Struct(Range),
  policy: Schema.String,
  complete: Schema.Boolean,
  file: ExportFile,
  coverage: Schema.Array(ExportCoverage),
  receipts: Schema.Array(ExportReceipt)
})
export interface ExportedSeries extends Schema.Schema.Type<typeof ExportedSeries> {}

const contents = {
  format: Schema.Literal(formatVersion),
  product: Schema.String,
  createdAt: Instant,
  rows: ExportFormat,
  lineage: Schema.Boolean,
  asOf: Schema.NullOr(Instant),
  complete: Schema.Boolean,
  series: Schema.Array(ExportedSeries)
}

export const Manifest = Schema.Struct({ ...contents, self: Sha256 })
export interface Manifest extends Schema.Schema.Type<typeof Manifest> {}

const decodeManifest = Schema.decodeUnknownOption(Manifest, { onExcessProperty: "error" })
const isJson = Schema.is(Schema.Json)

const selfOf = (manifest: Omit<Manifest, "self"> & { readonly self?: string }): string | null => {
  const { self: _, ...rest } = manifest
  const json: unknown = rest
  if (!isJson(json)) return null
  return Option.match(Result.getSuccess(canonicalJson(json)), {
    onNone: () => null,
    onSome: (text) => hash("sha256", text)
  })
}

const render = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`

/** The manifest with its own hash, and its text. */
export const sealed = (manifest: Omit<Manifest, "self">): { readonly manifest: Manifest; readonly text: string } => {
  const whole: Manifest = { ...manifest, self: selfOf(manifest) ?? "" }
  return { manifest: whole, text: render(whole) }
}

/** A manifest whose every byte is as it was written, or what is wrong with it. */
export const parseManifest = (text: string): Result.Result<Manifest, string> => {
  const json = Result.try((): unknown => JSON.parse(text))
  if (Result.isFailure(json)) return Result.fail("it is not JSON")
  const found = decodeManifest(json.success)
  if (Option.isNone(found)) return Result.fail("it is not a manifest of this format")
  const manifest = found.value
  if (`${JSON.stringify(json.success, null, 2)}\n` !== text) return Result.fail("its text is not as it was written")
  return selfOf(manifest) === manifest.self
    ? Result.succeed(manifest)
    : Result.fail("what it says does not have the hash that it names")
}

/** The text of SHA256SUMS, as `sha256sum -c` takes it: the rows' files in the order of the manifest, and the manifest. */
export const sumsText = (manifest: Manifest, manifestSha256: string): string =>
  [...manifest.series.map(({ file }) => `${file.sha256}  ${file.name}\n`), `${manifestSha256}  ${manifestName}\n`].join(
    ""
  )
