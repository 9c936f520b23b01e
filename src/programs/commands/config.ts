import { Effect } from "effect"
import { Command } from "effect/cli"
import * as ListenAddress from "../../layers/config/ListenAddress.ts"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { rangeDocument } from "../format/Documents.ts"
import { redacted } from "../format/redacted.ts"
import { render } from "../format/Table.ts"
import { type GatewaySettings, gatewaySettings } from "../gatewaySettings.ts"
import { optionsSettings } from "../optionsSettings.ts"
import { type Origin, type Settings, type Sourced, settings } from "../Settings.ts"
import { adminTokenSource } from "../serving/adminTokenSource.ts"
import { noFlags, type ServeSettings, serveSettings } from "../serving/ServeSettings.ts"
import { Output } from "../terminal/Output.ts"
import { oneLine, styleOf } from "../terminal/Style.ts"

interface Value {
  readonly key: string
  readonly value: unknown
  readonly origin: Origin
  /** What the table shows where the value is too much for a line. */
  readonly brief?: string
}

const values = (
  { config, configFile, dataDir, logLevel, store, tenant }: Settings,
  { allowedHosts, allowedOrigins, http, tcp, ...feeds }: ServeSettings,
  token: Sourced<string>,
  gateway: GatewaySettings,
  options: Effect.Success<ReturnType<typeof optionsSettings>>
): ReadonlyArray<Value> => {
  const own = (key: string, value: unknown): Value => ({
    key,
    value,
    origin: config.keys.has(key) ? "file" : "default"
  })
  return [
    { key: "config", ...configFile },
    { key: "dataDir", ...dataDir },
    { key: "store", ...store, value: store.value ?? "sqlite" },
    { key: "tenant", ...tenant },
    logLevel.origin !== "default"
      ? { key: "logLevel", ...logLevel }
      : { key: "logLevel", ...logLevel, brief: `${logLevel.value} (info for serve)` },
    own("sample", config.sample),
    own("limits.maxRows", config.maxRows),
    own("limits.payloadLimit", config.archive.payloadLimit),
    own("limits.minFree", config.minFree),
    { key: "serve.http", value: ListenAddress.format(http.value), origin: http.origin },
    { key: "serve.tcp", value: ListenAddress.format(tcp.value), origin: tcp.origin },
    { key: "serve.allowedHosts", ...allowedHosts },
    { key: "serve.allowedOrigins", ...allowedOrigins },
    { key: "serve.wsMaxQueueSize", ...feeds.wsMaxQueueSize },
    { key: "serve.wsMaxMessagesPerSecond", ...feeds.wsMaxMessagesPerSecond },
    {
      key: "serve.wsHeartbeatInterval",
      ...feeds.wsHeartbeatInterval,
      brief: `${feeds.wsHeartbeatInterval.value / 1_000} s`
    },
    { key: "serve.adminToken", ...token },
    own("batch.rows", config.batch.rows),
    own("batch.bytes", config.batch.bytes),
    { ...own("batch.age", config.batch.age), brief: `${config.batch.age} ms` },
    own("batch.capacity", config.batch.capacity),
    own("batch.overflow", config.batch.overflow),
    own("batch.concurrency", config.batch.concurrency),
    { ...own("batch.deadLetters", config.batch.deadLetters), ...deadLettersIn(config.batch.deadLetters) },
    { key: "options.concurrency", ...options.concurrency },
    { key: "options.baseDelay", ...options.baseDelay, brief: `${options.baseDelay.value} ms` },
    { key: "options.backoffMultiplier", ...options.backoffMultiplier },
    { key: "options.maxContracts", ...options.maxContracts },
    { key: "ibkr.host", ...gateway.host },
    { key: "ibkr.port", ...gateway.port },
    { key: "ibkr.clientId", ...gateway.clientId },
    ...config.calendars.map(({ known, name, title, zone }) => ({
      ...own(`calendars.${name}`, { title, zone, known: rangeDocument(known) }),
      brief: `${title} (${zone})`
    })),
    ...config.vendors.map((vendor) => ({
      ...own(`vendors.${vendor.name}`, redacted(vendor)),
      brief: `${vendor.description} (all of it with --json)`
    }))
  ]
}

const deadLettersIn = (file: string | null) => (file === null ? { brief: "in the data directory" } : {})

const text = (value: unknown): string =>
  value === null ? "none" : typeof value === "string" ? value : JSON.stringify(value)

const config = Effect.fn("tapestry config")(function* () {
  const json = yield* Json
  const { line, lines, terminal } = yield* Output
  const given = yield* settings
  const { gateway } = yield* gatewaySettings(given.file)
  const all = values(
    given,
    yield* serveSettings(given, noFlags),
    yield* adminTokenSource,
    gateway,
    yield* optionsSettings(given.file)
  )
  if (json)
    return yield* line(JSON.stringify({ values: all.map(({ key, value, origin }) => ({ key, value, origin })) }))
  const [header = "", ...rows] = render(
    [
      { header: "setting", align: "left" },
      { header: "from", align: "left" },
      { header: "value", align: "left" }
    ],
    all.map(({ key, value, origin, brief }) => [key, origin, oneLine(brief ?? text(value))])
  )
  yield* lines([styleOf(terminal).bold(header), ...rows])
}, asCommand("config"))

export const command = Command.make("config", {}, config).pipe(
  Command.withDescription(
    "The settings that hold and where each comes from: a flag, the environment, the configuration file or the default. Secrets are not shown."
  ),
  Command.withExamples([
    { command: "tapestry config --config ./tapestry.yaml", description: "Check a configuration file" }
  ])
)
