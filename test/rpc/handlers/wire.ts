/** The two encodings of the contract, from value to bytes and back, as servers and clients use them. */
import { Effect, Schema } from "effect"
import { RpcSerialization } from "effect/rpc"

export interface Wire {
  readonly name: string
  readonly there: (schema: Schema.Top, value: unknown) => unknown
  readonly back: (schema: Schema.Top, sent: unknown) => unknown
}

const codec = (codecFor: RpcSerialization.CodecFor, schema: Schema.Top): Schema.Codec<unknown, unknown> =>
  // The schemas of the contract need no services, which their general type cannot say.
  codecFor(schema) as Schema.Codec<unknown, unknown>

export const json: Wire = {
  name: "JSON",
  there: (schema, value) =>
    JSON.stringify({ hole: Schema.encodeUnknownSync(codec(RpcSerialization.ndjson.codecFor, schema))(value) }),
  back: (schema, sent) =>
    Schema.decodeUnknownSync(codec(RpcSerialization.ndjson.codecFor, schema))(JSON.parse(String(sent)).hole)
}

const { codecFor } = Effect.runSync(
  Effect.provide(RpcSerialization.RpcSerialization, RpcSerialization.layerSchemaBinary())
)

export const binary: Wire = {
  name: "binary",
  there: (schema, value) => Schema.encodeUnknownSync(codec(codecFor, schema))(value),
  back: (schema, sent) => Schema.decodeUnknownSync(codec(codecFor, schema))(sent)
}

/**
 * What a value is, as data: the class of each object (none, for plain ones with and without a prototype), and its fields by name.
 * -0 counts as 0, which is what JSON makes of it, and a lone surrogate as U+FFFD, which is what UTF-8 makes of it; an absent field
 * differs from an undefined one.
 */
export const described = (value: unknown): unknown => {
  if (typeof value === "number") return value === 0 ? 0 : value
  if (typeof value === "string") return value.toWellFormed()
  if (typeof value !== "object" || value === null) return value
  if (value instanceof Uint8Array) return { class: "Uint8Array", bytes: Array.from(value) }
  if (Array.isArray(value)) return value.map(described)
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === null || prototype === Object.prototype
  return {
    class: isPlain || typeof prototype !== "object" || prototype === null ? null : prototype.constructor.name,
    fields: Object.fromEntries(Object.entries(value).map(([key, field]) => [key.toWellFormed(), described(field)])),
    ...(value instanceof Error ? { message: value.message.toWellFormed(), name: value.name } : {})
  }
}
