import { counted } from "./Numbers.ts"

/** At most `height` lines: the first and the last, with a line between that says how many are left out. */
export const windowed = (
  lines: ReadonlyArray<string>,
  height: number | null,
  cut: (left: string) => string
): ReadonlyArray<string> => {
  if (height === null || lines.length <= Math.max(height, 12)) return lines
  const room = Math.max(height, 12) - 1
  const head = Math.ceil(room / 2)
  const tail = lines.length - Math.floor(room / 2)
  return [...lines.slice(0, head), cut(counted(tail - head, "more row")), ...lines.slice(tail)]
}
