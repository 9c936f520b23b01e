/** Nobody is believed who asks to be left alone for longer: a week, in milliseconds. */
const longest = 7 * 86_400_000

const instantOf = (text: string | undefined): number => (text === undefined ? Number.NaN : Date.parse(text))

/**
 * How many milliseconds a vendor asks to be left alone: `Retry-After` in seconds, or as a date, which is the vendor's and
 * therefore counted from its own `Date` where it sent one. At least 0, at most a week; null when it says nothing one can read.
 */
export const retryAfter = (headers: Readonly<Record<string, string>>, now: number): number | null => {
  const text = headers["retry-after"]?.trim()
  if (text === undefined || text === "") return null
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), longest)
  // A bare number with a sign is a year to Date.parse.
  const until = /[A-Za-z]/.test(text) ? instantOf(text) : Number.NaN
  if (Number.isNaN(until)) return null
  const vendorNow = instantOf(headers.date)
  return Math.min(Math.max(0, until - (Number.isNaN(vendorNow) ? now : vendorNow)), longest)
}
