import type { EpochMillis } from "../domain/TimeRange.ts"
import type { Decoder, FetchCapability } from "./Adapter.ts"

type Decoders = Pick<FetchCapability, "decode" | "decodeStream" | "decoderVersion" | "decoders">

const newestOf = (decoders: readonly [Decoder, ...ReadonlyArray<Decoder>]): Decoder =>
  decoders.reduce((newest, decoder) => (decoder.from > newest.from ? decoder : newest))

/**
 * The part of a FetchCapability that reads, for a vendor whose format has changed: one decoder for each form, with the instant from
 * which the vendor has sent it. What was asked for before the first of them is read by the first.
 *
 * Versions are never used twice: a decoder that is mended, old or new, takes the next number above all that there were. Then what
 * it read is read again, and what the others read is left alone.
 */
export const datedDecoders = (first: Decoder, ...later: ReadonlyArray<Decoder>): Decoders => {
  const decoders = [first, ...later] as const
  const { decode, decodeStream } = newestOf(decoders)
  return {
    decoders,
    decode,
    ...(decodeStream === undefined ? {} : { decodeStream }),
    decoderVersion: Math.max(...decoders.map(({ version }) => version))
  }
}

/** The decoder of what was asked for at an instant. */
export const decoderFor = (fetch: Decoders, askedAt: EpochMillis): Decoder => {
  const [first, ...others] = fetch.decoders ?? []
  if (first === undefined) {
    const { decode, decodeStream, decoderVersion } = fetch
    return { version: decoderVersion, from: 0, decode, ...(decodeStream === undefined ? {} : { decodeStream }) }
  }
  const oldest = others.reduce((found, decoder) => (decoder.from < found.from ? decoder : found), first)
  return [first, ...others].reduce(
    (found, decoder) => (decoder.from <= askedAt && decoder.from >= found.from ? decoder : found),
    oldest
  )
}

/** The lowest version that may have read an answer and still does. */
export const lowestVersion = (fetch: Decoders): number =>
  Math.min(fetch.decoderVersion, ...(fetch.decoders ?? []).map(({ version }) => version))
