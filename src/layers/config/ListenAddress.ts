import { Option, Schema, SchemaGetter } from "effect"

/** Where a listener listens. Port 0 takes one that is free. */
export interface ListenAddress {
  /** A name, an IPv4 address, or an IPv6 address without its brackets. */
  readonly host: string
  readonly port: number
}

export const expected = "HOST:PORT (as 127.0.0.1:7070 or [::1]:7070; port 0 takes a free one) or off"

const written = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/

/** `HOST:PORT`, or `off`, which is null. None: neither. */
export const parse = (text: string): Option.Option<ListenAddress | null> => {
  if (text === "off") return Option.some(null)
  const match = written.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  // In brackets stands an IPv6 address, which has two colons at least.
  if (host === undefined || port > 65_535) return Option.none()
  return match?.[1] !== undefined && !/:.*:/.test(host) ? Option.none() : Option.some({ host, port })
}

/** As it is written: an IPv6 address in brackets, null as `off`. */
export const format = (address: ListenAddress | null): string => {
  if (address === null) return "off"
  const { host, port } = address
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether only this machine can reach it. A name other than localhost may be any address, so it does not count. */
export const isLoopback = ({ host }: ListenAddress): boolean =>
  /^(localhost|::1|127(\.\d{1,3}){3}|::ffff:127(\.\d{1,3}){3})$/i.test(host)

const Encoded = Schema.String.check(Schema.makeFilter((text) => Option.isSome(parse(text))))
const Value = Schema.NullOr(Schema.Struct({ host: Schema.String, port: Schema.Int }))

/** In a document. */
export const ListenAddress = Encoded.pipe(
  Schema.decodeTo(Value, {
    decode: SchemaGetter.transform((text: string) => Option.getOrNull(parse(text))),
    encode: SchemaGetter.transform(format)
  })
).annotate({ expected })
