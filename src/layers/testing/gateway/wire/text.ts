/** How values are written on the wire. */

/** What says that there is no number. */
export const noNumber = "1.7976931348623157E308"

export const number = (value: number): string => (Number.isFinite(value) ? String(value) : noNumber)

/** Fields, each with its end. */
export const message = (...fields: ReadonlyArray<string | number>): string => `${fields.join("\0")}\0`

/** Texts of errors are ASCII: all else as `\uXXXX`. */
export const ascii = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`)
