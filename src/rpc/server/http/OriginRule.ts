/**
 * Which `Origin` a request may come from. Only browsers send one. Without the rule any page could call a server on this machine:
 * it could not read every answer, but the call would be made.
 */

/** `own`: the page was served from here. `listed`: the owner allowed it, and its page may read answers. */
export type Verdict = "none" | "own" | "listed" | "foreign"

const canonical = (origin: string) => origin.trim().toLowerCase().replace(/\/$/, "")

/** Origins never carry the port that their scheme implies; a `Host` may. */
const withoutDefaultPort = (host: string) => host.toLowerCase().replace(/:80$/, "")

/**
 * A function of `Origin` (null: not sent) and `Host`. `null`, the origin of sandboxed frames and files, is refused unless listed
 * as such; `*` allows nothing.
 */
export const make = (allowed: ReadonlyArray<string>): ((origin: string | null, host: string | null) => Verdict) => {
  const listed = new Set(allowed.map(canonical).filter((origin) => origin !== "*" && origin !== ""))
  return (origin, host) => {
    if (origin === null) return "none"
    const given = canonical(origin)
    if (host !== null && given === `http://${withoutDefaultPort(host)}`) return "own"
    return listed.has(given) ? "listed" : "foreign"
  }
}
