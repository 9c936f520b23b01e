import type { Terminal } from "./Output.ts"

/** Emphasis on a terminal that shows colours; the same text unchanged everywhere else. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
}

const code = (on: boolean, start: number, end: number) => (text: string) =>
  on && text !== "" ? `\u001b[${start}m${text}\u001b[${end}m` : text

export const styleOf = ({ colours }: Pick<Terminal, "colours">): Style => ({
  bold: code(colours, 1, 22),
  dim: code(colours, 2, 22),
  red: code(colours, 31, 39),
  green: code(colours, 32, 39),
  yellow: code(colours, 33, 39),
  cyan: code(colours, 36, 39)
})

/**
 * Text from outside (a vendor's message, a file name) made safe for one line of a terminal: white space collapsed, control
 * characters written out.
 */
export const oneLine = (text: string): string =>
  Array.from(text.trim().replace(/\s+/gu, " "), (character) => {
    const point = character.codePointAt(0) ?? 0
    return point < 0x20 || (point >= 0x7f && point < 0xa0) ? `\\x${point.toString(16).padStart(2, "0")}` : character
  }).join("")
