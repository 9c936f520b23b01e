import { Effect, Stream } from "effect"
import { PreferredVendors } from "../../services/PreferredVendors.ts"
import { PreferredRpcs } from "../contract/PreferredRpcs.ts"
import { counted } from "./CallTally.ts"
import { largeAnswer } from "./LargeAnswer.ts"
import { reading } from "./reading.ts"

const make = Effect.gen(function* () {
  const preferred = yield* PreferredVendors

  return PreferredRpcs.of({
    "Preferred.plan": (query) => Effect.andThen(largeAnswer, preferred.plan(query)),

    "Preferred.read": ({ asOf, onMissing, ...query }) =>
      Effect.andThen(
        largeAnswer,
        Effect.map(preferred.read(query, reading({ onMissing, asOf })), ({ bars: _, ...report }) => report)
      ),

    "Preferred.bars": ({ asOf, onMissing, ...query }) =>
      counted(Stream.unwrap(Effect.map(preferred.read(query, reading({ onMissing, asOf })), ({ bars }) => bars)))
  })
})

export const layer = PreferredRpcs.toLayer(make)
