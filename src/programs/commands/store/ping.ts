import { Cause, Duration, Effect, Option, Ref, Result, Schedule } from "effect"
import { Command, Flag } from "effect/cli"
import { monotonicMillis } from "../../../layers/monotonicMillis.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { pingLine, pingMetrics, pingOf } from "../../format/StorePing.ts"
import { Output } from "../../terminal/Output.ts"
import { withUpkeep } from "../../withUpkeep.ts"

const flags = {
  retry: Flag.Int("retry").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("How often to try again, after growing pauses of up to two seconds"),
    Flag.filter(
      (times) => times >= 0 && times <= 1_000,
      () => "a whole number from 0 to 1000"
    ),
    Flag.withDefault(0)
  ),
  timeout: Flag.Finite("timeout").pipe(
    Flag.withMetavar("SECONDS"),
    Flag.withDescription("How long one try may take"),
    Flag.filter(
      (seconds) => seconds > 0 && seconds <= 3_600,
      () => "more than 0 and at most 3600 seconds"
    ),
    Flag.withDefault(5)
  ),
  format: Flag.Literals("format", ["text", "json", "prometheus"]).pipe(
    Flag.withDescription("A line, a JSON document (as --json), or metrics for a textfile collector"),
    Flag.optional
  )
}

const longestPause = Duration.seconds(2)
const pauses = Schedule.exponential("200 millis").pipe(
  Schedule.jittered,
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, longestPause)))
)

/** What the store says of its schema, and how long that took, the loading of its driver not counted. */
const look = withUpkeep({ readonly: true }, (upkeep) =>
  Effect.gen(function* () {
    if (upkeep === null) return { found: null, elapsedMillis: 0 }
    const began = yield* monotonicMillis
    const { expected, state, version } = yield* upkeep.report
    return {
      found: { store: upkeep.store, where: upkeep.where, state, version, expected },
      elapsedMillis: Math.round(((yield* monotonicMillis) - began) * 10) / 10
    }
  })
)

const ping = Effect.fn("tapestry store ping")(
  function* ({ format, retry, timeout }: Command.Command.Config.Infer<typeof flags>) {
    const { line, lines } = yield* Output
    const as = (yield* Json) ? "json" : Option.getOrElse(format, () => "text")
    const attempts = yield* Ref.make(0)
    const answered = yield* Effect.andThen(
      Ref.update(attempts, (before) => before + 1),
      look
    ).pipe(Effect.timeout(timeout * 1_000), Effect.retry({ schedule: pauses, times: retry }), Effect.result)
    const answer = pingOf(
      Result.mapError(answered, (error) =>
        Cause.isTimeoutError(error) ? `no answer within ${timeout} s` : error.message
      ),
      yield* Ref.get(attempts)
    )
    yield* as === "text"
      ? line(pingLine(answer))
      : as === "json"
        ? line(JSON.stringify(answer))
        : lines(pingMetrics(answer))
    if (!answer.ok) return yield* new Ended({ code: 1 })
  },
  asCommand("store", "ping")
)

export const command = Command.make("ping", flags, ping).pipe(
  Command.withDescription(
    "Does the store answer, how fast, and can this release use it? Ends with 1 where it does not or cannot. A data directory without a store is well: the first command that fetches makes it."
  ),
  Command.withShortDescription("Does the store answer, and can this release use it"),
  Command.withExamples([
    { command: "tapestry store ping" },
    {
      command: "tapestry store ping --retry 30 --timeout 2 && tapestry serve",
      description: "Wait for a database that is starting"
    },
    {
      command: "tapestry store ping --format prometheus > /var/lib/node_exporter/tapestry.prom",
      description: "For a textfile collector"
    }
  ])
)
