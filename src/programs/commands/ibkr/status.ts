import { Effect, Option, References, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import type { TapestryClient } from "../../../rpc/client/TapestryClient.ts"
import { IbkrSession } from "../../../services/IbkrSession.ts"
import type { SessionCapability } from "../../../services/VendorSession.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { type GatewayStatus, isConnected, statusDocument, statusFields } from "../../format/IbkrStatus.ts"
import { gatewaySettings } from "../../gatewaySettings.ts"
import { levelOf } from "../../logLevels.ts"
import { settings } from "../../Settings.ts"
import { vendorsThere } from "../../streams/streamVendor.ts"
import { Output } from "../../terminal/Output.ts"
import { fieldLines } from "../../terminal/printList.ts"
import { styleOf } from "../../terminal/Style.ts"
import { besideOwner } from "../../withData.ts"
import { gatewayOf, vendorFlag } from "./lookup.ts"

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
  ),
  vendor: vendorFlag
}

type Input = Command.Command.Config.Infer<typeof flags>

/** The session once the gateway has told of its clock, which it does last; as it is where that takes longer than two seconds. */
const settled = Effect.fnUntraced(function* (session: SessionCapability) {
  const told = session.changes.pipe(
    Stream.filter(({ clockSkew }) => clockSkew !== null),
    Stream.runHead,
    Effect.timeoutOption("2 seconds")
  )
  return Option.getOrElse(Option.flatten(yield* told), () => null) ?? (yield* session.now)
})

/** Of a connection of this command's own. */
const own = Effect.fnUntraced(function* (input: Input) {
  const { file, logLevel } = yield* settings
  const { gateway, vendors } = yield* gatewaySettings(file)
  const { layer, sessionCapability, sessionOptions } = yield* Effect.promise(async () => ({
    ...(await import("../../../layers/adapters/ibkr/IbkrSessionLive.ts")),
    ...(await import("../../../layers/adapters/ibkr/IbkrVendor.ts")),
    ...(await import("../../../layers/adapters/ibkr/sessionCapability.ts"))
  }))
  const named = Option.getOrElse(input.vendor, () => gateway.vendor.name)
  const base = named === gateway.vendor.name ? gateway.vendor : vendors.find(({ name }) => name === named)
  if (base?.adapter !== "ibkr") {
    return yield* new UsageError({
      message:
        base === undefined ? `no vendor ${named}` : `${named} is a vendor of adapter ${base.adapter}, not of ibkr`
    })
  }
  const vendor = {
    ...base,
    host: Option.getOrElse(input.host, () => base.host),
    port: Option.getOrElse(input.port, () => base.port),
    clientId: Option.getOrElse(input.clientId, () => base.clientId),
    patience: input.timeout * 1000
  }
  return yield* Effect.gen(function* () {
    const session = yield* IbkrSession
    yield* session.ready
    const capability = sessionCapability(vendor.name, `${vendor.host}:${vendor.port}`, session)
    const status: GatewayStatus = { session: yield* settled(capability), live: null }
    return status
  }).pipe(
    Effect.provide(layer(sessionOptions(vendor))),
    Effect.provideService(References.MinimumLogLevel, levelOf(logLevel.value === "warn" ? "error" : logLevel.value))
  )
})

/** Of the session of the process that owns the data directory, which connects for it where it has not yet. */
const ofOwner = Effect.fnUntraced(function* (client: TapestryClient["Service"], input: Input) {
  const vendor = yield* gatewayOf(input.vendor, yield* vendorsThere(client))
  yield* Effect.timeoutOption(client["Vendors.ping"]({ vendor }), `${input.timeout} seconds`)
  const sessions = yield* client["Vendors.sessions"]()
  const session = sessions.find((one) => one.vendor === vendor)
  if (session === undefined) return yield* new UsageError({ message: `${vendor} has no session` })
  const { liveReadiness } = yield* Effect.promise(() => import("../../../layers/streams/liveReadiness.ts"))
  const streams = (yield* client["Streams.states"]()).filter(({ key }) => key.vendor === vendor)
  const status: GatewayStatus = { session, live: liveReadiness([session], streams) }
  return status
})

const status = Effect.fn("tapestry ibkr status")(
  function* (input: Input) {
    const other = Option.isSome(input.host) || Option.isSome(input.port) || Option.isSome(input.clientId)
    const found = yield* other ? own(input) : besideOwner(own(input), (client) => ofOwner(client, input))
    const { line, lines, terminal } = yield* Output
    yield* (yield* Json)
      ? line(JSON.stringify(statusDocument(found)))
      : lines(fieldLines(statusFields(found), styleOf(terminal).dim))
    if (!isConnected(found.session)) return yield* new Ended({ code: 1 })
  },
  asCommand("ibkr", "status")
)

export const command = Command.make("status", flags, status).pipe(
  Command.withDescription(
    "Does a gateway answer, and how is it: its version, accounts and data farms, and how far its clock is from ours. Ends with 1 where none is ready in time. Of a process that owns the data directory its own session is shown, with its streams; else, and where a gateway is named, the connection is this command's own and ends with it."
  ),
  Command.withShortDescription("Does a gateway answer, and how is it"),
  Command.withExamples([
    { command: "tapestry ibkr status" },
    { command: "tapestry ibkr status --port 4002 --json", description: "Of a paper gateway, as a document" }
  ])
)
