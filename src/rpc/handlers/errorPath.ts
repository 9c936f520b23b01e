/** The longest way down through reasons, so that one that refers to itself ends. */
const deepest = 8

const tagOf = (error: unknown): string | null =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string" ? error._tag : null

/** What an error is, from the service that raised it down to the reason: `StitchingCacheError/VendorError/Throttled`. */
export const errorPath = (error: unknown): string => {
  const tags: Array<string> = []
  let current = error
  while (tags.length < deepest) {
    const tag = tagOf(current)
    if (tag === null) break
    tags.push(tag)
    current = typeof current === "object" && current !== null && "reason" in current ? current.reason : null
  }
  return tags.join("/")
}
