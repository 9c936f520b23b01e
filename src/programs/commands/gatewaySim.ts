import { Effect, FileSystem, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { untilSignal } from "../runMain.ts"
import { Output } from "../terminal/Output.ts"

const flags = {
  port: Flag.Int("port").pipe(
    Flag.withMetavar("PORT"),
    Flag.withDescription("Where clients connect, on 127.0.0.1 (default 4001, as IB Gateway; 0 takes one that is free)"),
    Flag.filter(
      (port) => port >= 0 && port <= 65_535,
      () => "0 to 65535"
    ),
    Flag.withDefault(4001)
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Which market: one seed, one market (default 1)"),
    Flag.withDefault(1)
  ),
  speed: Flag.Finite("speed").pipe(
    Flag.withMetavar("X"),
    Flag.withDescription("How many times as fast as the clock time passes in it (default 1)"),
    Flag.filter(
      (speed) => speed > 0 && speed <= 10_000,
      () => "more than 0 and at most 10000"
    ),
    Flag.withDefault(1)
  ),
  start: Flag.Date("start").pipe(
    Flag.withMetavar("INSTANT"),
    Flag.withDescription("When its time begins (default now)"),
    Flag.optional
  ),
  scenario: Flag.String("scenario").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("What goes wrong, and when: a YAML list, see docs/gateway-simulator.md"),
    Flag.optional
  ),
  replay: Flag.String("replay").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Recorded trades of a share, played as they were: CSV, or a day of LEAN's ticks"),
    Flag.optional
  ),
  hours: Flag.Literals("hours", ["always", "exchange"]).pipe(
    Flag.withDescription("Trade around the clock (default), or in the hours of the real exchanges"),
    Flag.withDefault("always")
  )
}

const bytesOf = (file: string) =>
  Effect.mapError(
    FileSystem.FileSystem.use((files) => files.readFile(file)),
    (error) => new UsageError({ message: `${file} cannot be read: ${error.message}` })
  )

const scenarioOf = Effect.fnUntraced(function* (file: string) {
  const { parseScenario } = yield* Effect.promise(() => import("../../layers/testing/gateway/scenario.ts"))
  return yield* Effect.fromResult(parseScenario(new TextDecoder().decode(yield* bytesOf(file))))
})

const recordingOf = Effect.fnUntraced(function* (file: string) {
  const { unpack } = yield* Effect.promise(() => import("../../layers/adapters/file/unpack.ts"))
  const { parseRecording } = yield* Effect.promise(() => import("../../layers/testing/gateway/recording.ts"))
  const { bytes } = yield* unpack(yield* bytesOf(file), null)
  return yield* Effect.fromResult(parseRecording(file, new TextDecoder().decode(bytes)))
})

/** As `serve`, the signal ends it in order: 0. */
const gatewaySim = Effect.fn("tapestry gateway-sim")(function* (input: Command.Command.Config.Infer<typeof flags>) {
  const { hours, port, seed, speed } = input
  const json = yield* Json
  const { line } = yield* Output
  if (Option.isSome(input.start) && Number.isNaN(input.start.value.getTime())) {
    return yield* new UsageError({ message: "--start: expected an instant" })
  }
  const { make } = yield* Effect.promise(() => import("../../layers/testing/gateway/GatewaySimulator.ts"))
  const scenario = Option.isNone(input.scenario) ? [] : yield* scenarioOf(input.scenario.value)
  const replay = Option.isNone(input.replay) ? null : yield* recordingOf(input.replay.value)
  // What was recorded begins with its first trade; all else begins now.
  const start = Option.getOrElse(input.start, () => (replay === null ? new Date() : null))
  const serving = Effect.gen(function* () {
    const gateway = yield* make({
      port,
      seed,
      hours,
      clock: { speed },
      scenario,
      ...(start === null ? {} : { start: start.getTime() }),
      ...(replay === null ? {} : { replay })
    })
    const address = `${gateway.host}:${gateway.port}`
    const began = new Date(gateway.now()).toISOString()
    yield* line(
      json
        ? JSON.stringify({ gateway: address, seed, speed, start: began, hours, replay: replay?.symbol ?? null })
        : `simulated gateway at ${address}, seed ${seed}, time from ${began} at ${speed} x (process ${process.pid})`
    )
    return yield* Effect.never
  })
  yield* Effect.raceFirst(untilSignal, Effect.scoped(serving))
}, asCommand("gateway-sim"))

export const command = Command.make("gateway-sim", flags, gatewaySim).pipe(
  Command.withDescription(
    "Stands for TWS or an IB Gateway until it is told to stop: clients of Interactive Brokers connect to it and find a simulated market, without an account. Everything it says is made up, and the same for the same seed. The first line on standard output says where it listens."
  ),
  Command.withExamples([
    { command: "tapestry gateway-sim" },
    {
      command: "tapestry gateway-sim --port 0 --seed 7 --speed 60 --json",
      description: "An hour a minute, on a free port"
    }
  ])
)
