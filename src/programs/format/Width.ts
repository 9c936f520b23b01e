// Made when the first text needs it: its tables take memory that most commands never use.
const segmenter: { graphemes?: Intl.Segmenter } = {}
const graphemesOf = (text: string) => {
  segmenter.graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" })
  return segmenter.graphemes.segment(text)
}

/** How many columns of a terminal a text takes; control codes take none, East Asian wide characters two. */
export const displayWidth = (text: string): number => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control codes are what is being removed
  const plain = text.replace(/\u001b\[[0-9;]*m/g, "")
  if (/^[ -~]*$/.test(plain)) return plain.length
  let columns = 0
  for (const { segment } of graphemesOf(plain)) columns += widthOf(segment)
  return columns
}

/** At most so many columns of it, without control codes; an ellipsis says that there was more. */
export const clipped = (text: string, columns: number): string => {
  if (displayWidth(text) <= columns) return text
  let kept = ""
  let taken = 1
  for (const { segment } of graphemesOf(text)) {
    taken += widthOf(segment)
    if (taken > columns) break
    kept += segment
  }
  return columns < 1 ? "" : `${kept}…`
}

const wide =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u

const widthOf = (grapheme: string): number =>
  wide.test(grapheme) ? 2 : /^[\p{Mark}\p{Control}\p{Default_Ignorable_Code_Point}]+$/u.test(grapheme) ? 0 : 1
