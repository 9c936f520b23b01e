/** Numbers for people: never in exponent form, grouped by thousands where they count things. */

/** The shortest decimal that reads back as this double, without an exponent. */
export const decimal = (value: number): string => {
  const text = String(value)
  if (!text.includes("e")) return text
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (match === null) return text
  const [, sign = "", lead = "", fraction = "", power = "0"] = match
  const digits = lead + fraction
  const point = 1 + Number(power)
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`
  return point >= digits.length
    ? `${sign}${digits.padEnd(point, "0")}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** As {@link decimal}, with a comma at every third place before the point. */
export const grouped = (value: number): string => {
  const text = decimal(value)
  const point = text.indexOf(".")
  let whole = point < 0 ? text : text.slice(0, point)
  let rest = point < 0 ? "" : text.slice(point)
  const sign = whole.startsWith("-") ? 1 : 0
  while (whole.length - sign > 3) {
    rest = `,${whole.slice(-3)}${rest}`
    whole = whole.slice(0, -3)
  }
  return whole + rest
}

/** `1 request`, `2 requests`, `1,024 rows`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`

const units = ["B", "KiB", "MiB", "GiB", "TiB"]

/** `512 B`, `1.5 MiB`. */
export const bytes = (count: number): string => {
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** A length of time in milliseconds, to two significant parts: `0.3 s`, `12 s`, `2 min 5 s`, `3 h 10 min`. */
export const duration = (millis: number): string => {
  if (millis <= 0) return "0 s"
  if (millis < 10_000) return `${Math.max(0.1, Math.round(millis / 100) / 10)} s`
  const seconds = Math.round(millis / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}
