import { Result, Schema, SchemaGetter } from "effect"
import { parseInstant } from "../../../../domain/Instant.ts"
import { type EpochMillis, iso } from "../../../../domain/TimeRange.ts"

const millisOf = (text: string): EpochMillis => Result.getOrElse(parseInstant(text), () => Number.NaN)

export const instantWords = "ISO 8601: a date (00:00 UTC), or a date and time with Z or an offset."

/** An instant as people write it: ISO 8601, a bare date or with `Z` or an offset. */
export const InstantText = Schema.String.pipe(
  Schema.check(
    Schema.makeFilter((text) => {
      const instant = parseInstant(text)
      return Result.isSuccess(instant) || instant.failure
    })
  ),
  Schema.decodeTo(Schema.Number, {
    decode: SchemaGetter.transform(millisOf),
    encode: SchemaGetter.transform((millis: number) => iso(millis))
  })
)
