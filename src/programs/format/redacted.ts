import { Predicate, Redacted } from "effect"

const secret = /(secret|token|password|passphrase|api_?key|credential|authorization|cookie)/i

/**
 * A setting with its secrets replaced, as plain JSON: what is Redacted already, and what a name says is secret. Addresses lose
 * the user and password in them.
 */
export const redacted = (value: unknown): unknown => {
  if (Redacted.isRedacted(value)) return "<redacted>"
  if (typeof value === "string") return value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/i, "$1<redacted>@")
  if (Array.isArray(value)) return value.map(redacted)
  if (value instanceof Set) return [...value].map(redacted)
  if (value instanceof RegExp) return value.source
  if (!Predicate.isObject(value)) return typeof value === "function" ? undefined : value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, secret.test(key) && item !== null ? "<redacted>" : redacted(item)])
  )
}
