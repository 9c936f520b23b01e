import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { untilSignal } from "../../runMain.ts"
import { DefaultLogLevel } from "../../Settings.ts"

const flags = {
  concurrency: Flag.Int("concurrency").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("How many jobs run at once (default 2); a vendor's budget is shared by all of them"),
    Flag.withDefault(2)
  )
}

/** As `serve`, the signal ends it in order: 0. */
const work = Effect.fn("tapestry jobs work")(
  function* ({ concurrency }: Command.Command.Config.Infer<typeof flags>) {
    if (concurrency < 1 || concurrency > 64) {
      return yield* new UsageError({ message: `--concurrency ${concurrency}: expected 1 to 64` })
    }
    const loaded = Effect.promise(() => import("../../serving/working.ts"))
    yield* Effect.raceFirst(
      untilSignal,
      Effect.flatMap(loaded, ({ working }) => working(concurrency))
    )
  },
  Effect.provideService(DefaultLogLevel, "info"),
  asCommand("jobs", "work")
)

export const command = Command.make("work", flags, work).pipe(
  Command.withDescription(
    "Runs jobs until it is told to stop, by their priority and age. It owns the data directory meanwhile; other commands find it there and ask it over its Unix socket. What is under way when it ends is put aside, and goes on when jobs are run again. tapestry serve does the same beside serving."
  ),
  Command.withShortDescription("Run jobs until told to stop"),
  Command.withExamples([{ command: "tapestry jobs work --concurrency 4" }])
)
