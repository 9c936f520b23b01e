import { Effect, Schema } from "effect"
import { Flag } from "effect/cli"
import { Millis } from "../../layers/config/units.ts"
import { UsageError } from "../failure/UsageError.ts"

/** A length of time: `30d`, `12h`. */
export const ageFlag = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar("AGE"), Flag.withDescription(`${description}: 30d, 12h`))

/** The milliseconds of a length of time that a flag gave. */
export const millisOf = (name: string, given: string): Effect.Effect<number, UsageError> =>
  Effect.mapError(
    Schema.decodeUnknownEffect(Millis)(given),
    () => new UsageError({ message: `--${name} ${given}: expected an age such as 30d or 12h` })
  )
