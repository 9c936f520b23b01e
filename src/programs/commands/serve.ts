import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { untilSignal } from "../runMain.ts"
import { DefaultLogLevel } from "../Settings.ts"

const flags = {
  http: Flag.String("http").pipe(
    Flag.withMetavar("HOST:PORT|off"),
    Flag.withDescription("HTTP and WebSocket (TAPESTRY_HTTP; 127.0.0.1:7070 unless given; port 0 takes a free one)"),
    Flag.optional
  ),
  tcp: Flag.String("tcp").pipe(
    Flag.withMetavar("HOST:PORT|off"),
    Flag.withDescription("JSON lines over TCP (TAPESTRY_TCP; 127.0.0.1:7000 unless given)"),
    Flag.optional
  ),
  jobs: Flag.Int("jobs").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("How many jobs run at once beside serving (default 2); 0: none, they wait"),
    Flag.withDefault(2)
  ),
  insecure: Flag.Boolean("insecure").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Allow an address that others can reach: whoever reaches it may do everything"),
    Flag.withDefault(false)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

/** The signal ends the serving; who serves by order of the service manager has then done what it was asked for: 0. */
const serve = Effect.fn("tapestry serve")(
  function* (input: Input) {
    if (input.jobs < 0 || input.jobs > 64)
      return yield* new UsageError({ message: `--jobs ${input.jobs}: expected 0 to 64` })
    const loaded = Effect.promise(() => import("../serving/serving.ts"))
    // The signal first: who is told to stop while it loads has been told to stop, too.
    yield* Effect.raceFirst(
      untilSignal,
      Effect.flatMap(loaded, ({ serving }) => serving(input))
    )
  },
  Effect.provideService(DefaultLogLevel, "info"),
  asCommand("serve")
)

export const command = Command.make("serve", flags, serve).pipe(
  Command.withDescription(
    "Serves the data directory until it is told to stop: typed calls over HTTP, WebSocket, TCP and a Unix socket. It owns the directory meanwhile; other commands find it there and ask it. The first line on standard output says where it listens."
  ),
  Command.withExamples([
    { command: "tapestry serve" },
    { command: "tapestry serve --http 127.0.0.1:0 --tcp off --json", description: "A free port, told as JSON" }
  ])
)
