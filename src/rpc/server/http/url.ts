/** The path as the router reads it: without query, without the slash at its end, double slashes as one. */
export const pathOf = (url: string): string => {
  const path = (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i.exec(url)?.[1] ?? url).replace(/[?#;].*$/s, "")
  const single = path.replace(/\/{2,}/g, "/")
  return single.length > 1 && single.endsWith("/") ? single.slice(0, -1) : single
}
