import { ByteSize, Option, Schema, SchemaGetter } from "effect"

const bytesOf = (input: string): number | null =>
  Option.getOrNull(Option.flatMap(ByteSize.fromString(input), ByteSize.toNumber))

/** A size in bytes: a whole number, or a text with a unit such as `64 MiB`. */
export const ByteCount = Schema.Union([
  Schema.Int.check(Schema.isGreaterThan(0)),
  Schema.String.check(Schema.makeFilter((text) => (bytesOf(text) ?? 0) > 0)).pipe(
    Schema.decodeTo(Schema.Number, {
      decode: SchemaGetter.transform((text: string) => bytesOf(text) ?? 0),
      encode: SchemaGetter.transform((bytes: number) => `${bytes} B`)
    })
  )
]).annotate({ expected: 'a size above 0, such as 1048576 or "64 MiB"' })

const lengths: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000
}

const millisOf = (input: string): number | null => {
  const match = /^(\d{1,9}) ?(ms|s|m|h|d|w)$/.exec(input)
  const length = lengths[match?.[2] ?? ""]
  return length === undefined ? null : Number(match?.[1]) * length
}

/** A duration in milliseconds: a whole number, or one with a unit (`ms s m h d w`) such as `2d`. */
export const Millis = Schema.Union([
  Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  Schema.String.check(Schema.makeFilter((text) => millisOf(text) !== null)).pipe(
    Schema.decodeTo(Schema.Number, {
      decode: SchemaGetter.transform((text: string) => millisOf(text) ?? 0),
      encode: SchemaGetter.transform((millis: number) => `${millis}ms`)
    })
  )
]).annotate({ expected: "a duration: milliseconds, or a number with ms, s, m, h, d or w, such as 2d" })
