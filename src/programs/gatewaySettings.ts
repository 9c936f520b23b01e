/**
 * The gateway of Interactive Brokers that is meant: IB_HOST, IB_PORT and IB_CLIENT_ID of the environment before tapestry.yaml before
 * the defaults. They are about the vendor called `ibkr`, or about the only one of its kind; where there is none they make one.
 */
import { Effect, Option, Result } from "effect"
import type { VendorConfig } from "../layers/adapters/VendorConfig.ts"
import type { TapestryConfig } from "../layers/config/TapestryConfig.ts"
import { UsageError } from "./failure/UsageError.ts"
import { type Origin, type Sourced, variable } from "./Settings.ts"

type IbkrVendor = Extract<VendorConfig, { readonly adapter: "ibkr" }>

export interface GatewaySettings {
  readonly vendor: IbkrVendor
  readonly host: Sourced<string>
  readonly port: Sourced<number>
  readonly clientId: Sourced<number>
}

const wholeNumber = Effect.fnUntraced(function* (name: string, most: number, expected: string) {
  const text = yield* variable(name)
  if (Option.isNone(text)) return Option.none<number>()
  const value = Number(text.value.trim())
  return /^\d+$/.test(text.value.trim()) && value <= most
    ? Option.some(value)
    : yield* new UsageError({ message: `${name}=${text.value}: expected ${expected}` })
})

const given = Effect.gen(function* () {
  const port = yield* wholeNumber("IB_PORT", 65_535, "a port from 1 to 65535, such as 4001")
  if (Option.contains(port, 0)) return yield* new UsageError({ message: "IB_PORT=0: expected a port from 1 to 65535" })
  return {
    host: Option.map(yield* variable("IB_HOST"), (host) => host.trim()),
    port,
    clientId: yield* wholeNumber("IB_CLIENT_ID", 2_147_483_000, "a client id from 0 to 2147483000")
  }
})

const isIbkr = (vendor: VendorConfig): vendor is IbkrVendor => vendor.adapter === "ibkr"

/** Which vendor the environment is about; null: none is there. */
const meant = Effect.fnUntraced(function* (vendors: ReadonlyArray<VendorConfig>, anything: boolean) {
  const gateways = vendors.filter(isIbkr)
  const named = gateways.find(({ name }) => name === "ibkr")
  if (named !== undefined || gateways.length === 0) return named ?? null
  const [only, ...others] = gateways
  if (only !== undefined && (others.length === 0 || !anything)) return only
  const names = gateways.map(({ name }) => name).join(", ")
  return yield* new UsageError({
    message: `IB_HOST, IB_PORT and IB_CLIENT_ID are about one gateway, and there are ${names}: call one of them ibkr, or unset them`
  })
})

/** The settings of the gateway, and the vendors with them in place. */
export const gatewaySettings = Effect.fnUntraced(function* (config: TapestryConfig) {
  const environment = yield* given
  const anything =
    Option.isSome(environment.host) || Option.isSome(environment.port) || Option.isSome(environment.clientId)
  const found = yield* meant(config.vendors, anything)
  const { resolveVendor } = yield* Effect.promise(() => import("../layers/adapters/ibkr/IbkrVendor.ts"))
  const base = found ?? Result.getOrThrow(resolveVendor("ibkr", {}, config.archive.payloadLimit))
  const fromFile = (key: string): Origin => (base.given.includes(key) ? "file" : "default")
  const sourced = <A>(key: string, value: Option.Option<A>, otherwise: A): Sourced<A> =>
    Option.match(value, {
      onNone: () => ({ value: otherwise, origin: fromFile(key) }),
      onSome: (said) => ({ value: said, origin: "environment" })
    })
  const host = sourced("host", environment.host, base.host)
  const port = sourced("port", environment.port, base.port)
  const clientId = sourced("clientId", environment.clientId, base.clientId)
  const vendor: IbkrVendor = { ...base, host: host.value, port: port.value, clientId: clientId.value }
  const vendors: ReadonlyArray<VendorConfig> =
    found === null
      ? anything
        ? [...config.vendors, vendor]
        : config.vendors
      : config.vendors.map((one) => (one === found ? vendor : one))
  return { gateway: { vendor, host, port, clientId } satisfies GatewaySettings, vendors }
})
