/** A vendor of `adapter: simulated`: what `tapestry.yaml` may say of it, and what holds where it says nothing. */
import { Effect, Result, Schema } from "effect"
import type { Adapter } from "../../../services/Adapter.ts"
import type { DocumentProblem } from "../../config/issueProblems.ts"

const Symbols = Schema.NonEmptyArray(Schema.NonEmptyString).annotate({ expected: "a list of symbols" })

export const SimulatedVendorSpec = Schema.Struct({
  adapter: Schema.Literal("simulated").annotate({ expected: '"simulated", the kind of adapter' }),
  description: Schema.optionalKey(Schema.String),
  symbols: Schema.optionalKey(Symbols),
  seed: Schema.optionalKey(Schema.Int.annotate({ expected: "a whole number" })),
  /** Trades a second of each symbol, on average. */
  rate: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 0.1, maximum: 5_000 })).annotate({
      expected: "trades a second, from 0.1 to 5000"
    })
  )
})
export interface SimulatedVendorSpec extends Schema.Schema.Type<typeof SimulatedVendorSpec> {}

/** A simulated vendor, checked. */
export interface SimulatedVendor {
  readonly adapter: "simulated"
  readonly name: string
  readonly description: string
  readonly symbols: ReadonlyArray<string>
  readonly seed: number
  readonly rate: number
}

export const resolveVendor = (
  name: string,
  { description = "", rate = 2, seed = 1, symbols = ["ALPHA", "BETA", "GAMMA"] }: SimulatedVendorSpec
): Result.Result<SimulatedVendor, ReadonlyArray<DocumentProblem>> =>
  Result.succeed({
    adapter: "simulated",
    name,
    description: `simulated, a market that does not exist${description === "" ? "" : `: ${description}`}`,
    symbols: symbols.map((symbol) => symbol.trim().toUpperCase()),
    seed,
    rate
  })

/** A market that does not exist, for demonstrations: its streams say so (`DataType` is `simulated`), and so does its description. */
export const make = ({ description, name, rate, seed, symbols }: SimulatedVendor): Effect.Effect<Adapter> =>
  Effect.map(
    Effect.promise(() => import("../../testing/ModelVendor.ts")),
    (model): Adapter => ({
      ...model.make({ name, symbols, seed, stream: { rate } }).adapter,
      type: "simulated",
      description
    })
  )
