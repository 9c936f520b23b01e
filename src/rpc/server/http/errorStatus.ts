/** What a typed error is over HTTP, by what is at the bottom of it. */

const statuses: Readonly<Record<string, number>> = {
  TenantMalformed: 400,
  NotEntitled: 403,
  StoreTenantDenied: 403,
  StoreReadOnly: 403,
  NotFound: 404,
  UnknownVendor: 404,
  NoSuchTenant: 404,
  NoSuchRow: 404,
  UnknownSeries: 404,
  ExpiryNotListed: 404,
  StoreSchemaMismatch: 409,
  StoreConstraintViolation: 409,
  GenerationGone: 409,
  AmbiguousContract: 422,
  KindNotStreamed: 422,
  LookupNotOffered: 422,
  MissingCapability: 422,
  NeverFits: 422,
  Rejected: 422,
  TooManyContracts: 422,
  TooManyRequests: 422,
  TooManyRows: 422,
  TooManyStreams: 422,
  UnknownCalendar: 422,
  Unsupported: 422,
  Throttled: 429,
  Pacing: 429,
  Malformed: 502,
  StoreTimeout: 504,
  StoreFull: 507,
  ArchiveFull: 507,
  DiskTooFull: 507,
  InvalidRow: 500,
  InvalidCoverage: 500,
  NotCanonical: 500,
  PayloadDamaged: 500,
  PayloadTooLarge: 500
}

const deepest = 8

const bottomOf = (error: unknown): object => {
  let current: object = Object(error)
  for (let depth = 0; depth < deepest; depth++) {
    const reason: unknown = "reason" in current ? current.reason : null
    if (typeof reason !== "object" || reason === null) break
    current = reason
  }
  return current
}

/** Whatever is not named here may be otherwise later: 503. */
export const statusOf = (error: unknown): number => {
  const bottom = bottomOf(error)
  return ("_tag" in bottom && typeof bottom._tag === "string" ? statuses[bottom._tag] : undefined) ?? 503
}

/** After how many seconds another try is worth it; null: it is none. */
export const retryAfter = (error: unknown): number | null => {
  const status = statusOf(error)
  if (status !== 429 && status !== 503) return null
  const bottom = bottomOf(error)
  const millis = "retryAfter" in bottom && typeof bottom.retryAfter === "number" ? bottom.retryAfter : 1_000
  return Math.max(1, Math.ceil(millis / 1_000))
}
