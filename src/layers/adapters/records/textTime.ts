/** Dates, times and digits in bytes. Everything gives NaN where the text is not what it should be. */
export const dayMillis = 86_400_000
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Days since 1970-01-01 of a date of the Gregorian calendar; NaN when there is no such date. */
export const dayNumber = (year: number, month: number, day: number): number => {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const most = month === 2 && leap ? 29 : (monthDays[month - 1] ?? 0)
  if (day < 1 || day > most) return Number.NaN
  // Years are counted from March, so that the leap day is a year's last.
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

/** `count` digits at `at` as a number; NaN when one of them is no digit or lies beyond `end`. */
export const digits = (bytes: Uint8Array, at: number, end: number, count: number): number => {
  if (at + count > end) return Number.NaN
  let value = 0
  for (let i = at; i < at + count; i++) {
    const code = bytes[i] ?? 0
    if (code < 48 || code > 57) return Number.NaN
    value = value * 10 + code - 48
  }
  return value
}

export const timeOfDay = (hours: number, minutes: number, seconds: number, millis: number): number =>
  hours < 24 && minutes < 60 && seconds < 60
    ? hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + millis
    : Number.NaN

export const isDigit = (code: number | undefined): boolean => code !== undefined && code >= 48 && code <= 57

/** A fraction of a second after its point: its end, and its milliseconds, NaN when it is finer than those. */
export const fraction = (
  bytes: Uint8Array,
  start: number,
  end: number
): { readonly at: number; readonly millis: number } => {
  let at = start
  let millis = 0
  while (at < end && isDigit(bytes[at])) {
    const digit = (bytes[at] ?? 48) - 48
    const place = at - start
    if (place < 3) millis = millis * 10 + digit
    else if (digit !== 0) millis = Number.NaN
    at++
  }
  for (let place = at - start; place < 3; place++) millis *= 10
  return { at, millis: at === start ? Number.NaN : millis }
}
