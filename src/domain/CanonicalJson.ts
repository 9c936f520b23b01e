import { Result, type Schema } from "effect"
import type { RequestIdentity } from "./Request.ts"

/**
 * One text for one value, the same in every runtime: keys sorted by code point, lists in their order, numbers in their
 * shortest form (so 1 and 1.0 are one number, and -0 is 0), strings escaped as JSON.stringify does, no white space. NaN,
 * infinities, undefined, lone surrogates and anything that is not JSON are refused with the path to it. An absent key is not
 * a null one.
 */
export const canonicalJson = (value: Schema.Json): Result.Result<string, string> => {
  const problem: { at: string | null } = { at: null }
  const text = write(value, "$", problem)
  return problem.at === null ? Result.succeed(text) : Result.fail(problem.at)
}

const surrogate = /[\ud800-\udfff]/

const byCodePoint = (a: string, b: string): number => {
  // Without surrogates the order of code units is that of code points.
  if (!surrogate.test(a) && !surrogate.test(b)) return a < b ? -1 : a > b ? 1 : 0
  const left = Array.from(a)
  const right = Array.from(b)
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

const write = (value: unknown, path: string, problem: { at: string | null }): string => {
  const refuse = (what: string): string => {
    problem.at ??= `${path}: ${what} has no canonical form`
    return ""
  }
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? JSON.stringify(value) : refuse("a string with a lone surrogate")
    case "number":
      return Number.isFinite(value) ? String(value === 0 ? 0 : value) : refuse(String(value))
    case "boolean":
      return String(value)
    case "object": {
      if (value === null) return "null"
      if (Array.isArray(value)) {
        return `[${Array.from(value, (item, index) => write(item, `${path}[${index}]`, problem)).join(",")}]`
      }
      const prototype: unknown = Object.getPrototypeOf(value)
      if (prototype !== Object.prototype && prototype !== null) return refuse("an object of a class")
      const entries = Object.entries(value).sort(([a], [b]) => byCodePoint(a, b))
      return `{${entries
        .map(([key, item]) => `${write(key, path, problem)}:${write(item, `${path}.${key}`, problem)}`)
        .join(",")}}`
    }
    default:
      return refuse(typeof value)
  }
}

/**
 * The text whose sha256 is the identity of a request. Time to live, cache mode and credentials are not part of it. The first
 * line is its version: a change of the form makes a new version, never another meaning of this one.
 */
export const identityText = (identity: RequestIdentity): Result.Result<string, string> =>
  Result.map(
    canonicalJson({
      source: identity.source,
      kind: identity.kind,
      method: identity.method,
      params: identity.params,
      body: identity.body,
      bucket: identity.bucket,
      cacheTag: identity.cacheTag
    }),
    (json) => `tapestry.request.v1\n${json}`
  )
