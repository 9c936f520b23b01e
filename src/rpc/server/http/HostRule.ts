/**
 * Which `Host` a request may name. A web page whose name was rebound to 127.0.0.1 reaches this server from a browser as if it were
 * its own, but the browser still sends the page's name; so only loopback names and those that the owner listed are served.
 */

/** Lower case, without the dot that ends a fully qualified name; the port apart. Null: not a host. */
const parsed = (host: string): { readonly name: string; readonly port: string } | null => {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::(\d{1,5}))?$/i.exec(host)
  return match?.[1] === undefined ? null : { name: match[1].toLowerCase(), port: match[2] ?? "" }
}

const isLoopback = (name: string): boolean => {
  if (name === "localhost" || name === "[::1]") return true
  const octets = /^127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(name)
  return octets?.slice(1).every((octet) => Number(octet) <= 255) ?? false
}

/** Addresses that mean all of the machine's: to listen at, never to be called by. */
const wildcards = new Set(["0.0.0.0", "::", "[::]"])

/**
 * A predicate on the value of `Host`. `allowed` are further hosts, each for any port or, with `:port`, for that one; `bound` is
 * the address that the server was told to listen at.
 */
export const make = (options: {
  readonly bound: string
  readonly allowed: ReadonlyArray<string>
}): ((host: string) => boolean) => {
  const bound = options.bound.includes(":") && !options.bound.startsWith("[") ? `[${options.bound}]` : options.bound
  const listed = (wildcards.has(options.bound) ? options.allowed : [...options.allowed, bound]).flatMap((host) => {
    const entry = parsed(host.trim())
    return entry === null ? [] : [entry]
  })
  return (host) => {
    const given = parsed(host)
    if (given === null) return false
    if (isLoopback(given.name)) return true
    return listed.some(({ name, port }) => name === given.name && (port === "" || port === given.port))
  }
}
