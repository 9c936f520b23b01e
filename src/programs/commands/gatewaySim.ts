import { Effect, Option } from "effect"
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
  hours: Flag.Literals("hours", ["always", "exchange"]).pipe(
    Flag.withDescription("Trade around the clock (default), or in the hours of the real exchanges"),
    Flag.withDefault("always")
  )
}

/** As `serve`, the signal ends it in order: 0. */
const gatewaySim = Effect.fn("tapestry gateway-sim")(function* ({
  hours,
  port,
  seed,
  speed,
  start
}: Command.Command.Config.Infer<typeof flags>) {
  const json = yield* Json
  const { line } = yield* Output
  const began = Option.getOrElse(start, () => new Date())
  if (Number.isNaN(began.getTime())) return yield* new UsageError({ message: "--start: expected an instant" })
  const { make } = yield* Effect.promise(() => import("../../layers/testing/gateway/GatewaySimulator.ts"))
  const serving = Effect.gen(function* () {
    const gateway = yield* make({ port, seed, hours, start: began.getTime(), clock: { speed } })
    const address = `${gateway.host}:${gateway.port}`
    yield* line(
      json
        ? JSON.stringify({ gateway: address, seed, speed, start: began.toISOString(), hours })
        : `simulated gateway at ${address}, seed ${seed}, time from ${began.toISOString()} at ${speed} x (process ${process.pid})`
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
