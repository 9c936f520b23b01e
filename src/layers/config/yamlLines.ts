/**
 * The lines on which the keys of a YAML document stand, by path (`vendors`, `vendors.spy`, `vendors.spy.columns`). The parser
 * gives none, so this follows indentation; keys inside flow collections are found by the line of the collection.
 */
export const yamlLines = (text: string): ReadonlyMap<string, number> => {
  const lines = new Map<string, number>()
  const open: Array<{ readonly indent: number; readonly key: string }> = []
  const counts = new Map<string, number>()
  let scalarIndent: number | null = null
  const pathOf = () => open.map(({ key }) => key).join(".")

  for (const [index, raw] of text.split(/\r\n?|\n/).entries()) {
    if (/^\s*(#|$)/.test(raw)) continue
    let indent = raw.length - raw.trimStart().length
    if (scalarIndent !== null && indent > scalarIndent) continue
    scalarIndent = null
    let rest = raw.trimStart()
    while (rest.startsWith("- ")) {
      while ((open.at(-1)?.indent ?? -1) >= indent && open.at(-1)?.key !== undefined && isItem(open.at(-1), indent))
        open.pop()
      const parent = pathOf()
      const at = counts.get(parent) ?? 0
      counts.set(parent, at + 1)
      open.push({ indent, key: String(at) })
      lines.set(pathOf(), index + 1)
      const inner = rest.slice(2).trimStart()
      indent += rest.length - inner.length
      rest = inner
    }
    const key = /^(?:"([^"]*)"|'([^']*)'|([^\s"'{[#&*!|>%@`-][^:#]*|-[^\s:][^:]*?))\s*:(?:\s|$)/.exec(rest)
    if (key === null) continue
    while ((open.at(-1)?.indent ?? -1) >= indent) open.pop()
    open.push({ indent, key: key[1] ?? key[2] ?? (key[3] ?? "").trimEnd() })
    lines.set(pathOf(), index + 1)
    if (/[|>][+-]?\d?\s*$/.test(rest)) scalarIndent = indent
  }
  return lines
}

const isItem = (entry: { readonly indent: number; readonly key: string } | undefined, indent: number): boolean =>
  entry !== undefined && (entry.indent > indent || (entry.indent === indent && /^\d+$/.test(entry.key)))

/** The line of a path, or of the nearest key above it that has one. */
export const lineOf = (lines: ReadonlyMap<string, number>, path: ReadonlyArray<string>): number | null => {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(path.slice(0, length).join("."))
    if (line !== undefined) return line
  }
  return null
}
