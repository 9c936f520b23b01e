import { Effect, Option, References, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { IbkrSession } from "../../../services/IbkrSession.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { statusDocument, statusFields } from "../../format/IbkrStatus.ts"
import { gatewaySettings } from "../../gatewaySettings.ts"
import { levelOf } from "../../logLevels.ts"
import { settings } from "../../Settings.ts"
import { Output } from "../../terminal/Output.ts"
import { fieldLines } from "../../terminal/printList.ts"
import { styleOf } from "../../terminal/Style.ts"

const flags = {
  host: Flag.String("host").pipe(
    Flag.withMetavar("HOST"),
    Flag.withDescription("The gateway's machine (IB_HOST; 127.0.0.1 unless given)"),
    Flag.optional
  ),
  port: Flag.Int("port").pipe(
    Flag.withMetavar("PORT"),
    Flag.withDescription("Its port (IB_PORT; 4001 unless given; 4002 of a paper gateway, 7496 and 7497 of TWS)"),
    Flag.filter(
      (port) => port >= 1 && port <= 65_535,
      () => "a port from 1 to 65535"
    ),
    Flag.optional
  ),
  clientId: Flag.Int("client-id").pipe(
    Flag.withMetavar("ID"),
    Flag.withDescription(
      "Who we are to it (IB_CLIENT_ID; 7 unless given); where another has the id, the next is tried"
    ),
    Flag.filter(
      (id) => id >= 0 && id <= 2_147_483_000,
      () => "a whole number from 0"
    ),
    Flag.optional
  ),
  timeout: Flag.Finite("timeout").pipe(
    Flag.withMetavar("SECONDS"),
    Flag.withDescription("How long it may take until the gateway is ready"),
    Flag.filter(
      (seconds) => seconds > 0 && seconds <= 3_600,
      () => "more than 0 and at most 3600 seconds"
    ),
    Flag.withDefault(15)
  )
}

/** The state once the gateway has told of its clock, which it does last; as it is where that takes longer than two seconds. */
const settled = Effect.gen(function* () {
  const session = yield* IbkrSession
  const first = yield* session.ready
  const told = session.changes.pipe(
    Stream.filter((state) => (state._tag === "Ready" || state._tag === "Degraded") && state.clockSkew !== null),
    Stream.runHead,
    Effect.timeoutOption("2 seconds")
  )
  const state = Option.getOrElse(Option.flatten(yield* told), () => first)
  return state._tag === "Ready" || state._tag === "Degraded" ? state : first
})

const status = Effect.fn("tapestry ibkr status")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const { file, logLevel } = yield* settings
    const { gateway } = yield* gatewaySettings(file)
    const { layer, sessionOptions } = yield* Effect.promise(async () => ({
      ...(await import("../../../layers/adapters/ibkr/IbkrSessionLive.ts")),
      ...(await import("../../../layers/adapters/ibkr/IbkrVendor.ts"))
    }))
    const vendor = {
      ...gateway.vendor,
      host: Option.getOrElse(input.host, () => gateway.host.value),
      port: Option.getOrElse(input.port, () => gateway.port.value),
      clientId: Option.getOrElse(input.clientId, () => gateway.clientId.value),
      patience: input.timeout * 1000
    }
    const state = yield* settled.pipe(
      Effect.provide(layer(sessionOptions(vendor))),
      Effect.provideService(References.MinimumLogLevel, levelOf(logLevel.value === "warn" ? "error" : logLevel.value))
    )
    const { line, lines, terminal } = yield* Output
    const place = `${vendor.host}:${vendor.port}`
    yield* (yield* Json)
      ? line(JSON.stringify(statusDocument(place, state)))
      : lines(fieldLines(statusFields(place, state), styleOf(terminal).dim))
  },
  asCommand("ibkr", "status")
)

export const command = Command.make("status", flags, status).pipe(
  Command.withDescription(
    "Does a gateway answer, and how is it: its version, accounts and data farms, and how far its clock is from ours. Ends with 1 where none is ready in time. The connection is this command's own and ends with it."
  ),
  Command.withShortDescription("Does a gateway answer, and how is it"),
  Command.withExamples([
    { command: "tapestry ibkr status" },
    { command: "tapestry ibkr status --port 4002 --json", description: "Of a paper gateway, as a document" }
  ])
)
