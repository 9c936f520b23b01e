import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Path, Scope } from "effect"
import * as ConfiguredVendors from "../../../src/layers/adapters/ConfiguredVendors.ts"
import * as TapestryConfig from "../../../src/layers/config/TapestryConfig.ts"
import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { beginningOf } from "../../../src/services/PayloadDraft.ts"
import { between, platform } from "./file/support.ts"

const data = fileURLToPath(new URL("../../../node_modules/vega-datasets/data/", import.meta.url))

const yaml = (name: string, more = "") => `${more}vendors:
  ${name}:
    adapter: file
    description: the index
    root: ${data}
    path: sp500-2000.csv
    symbols: [spx]
    columns: { ts: date }
    timeframe: 1d
`

const configOf = (text: string) =>
  Effect.flatMap(Path.Path, (path) => Effect.fromResult(TapestryConfig.decode("/etc/tapestry.yaml", text, path)))

const withVendors = <A, E>(text: string, body: Effect.Effect<A, E, AdapterRegistry>) =>
  configOf(text).pipe(
    Effect.flatMap((config) =>
      body.pipe(
        Effect.provide(
          ConfiguredVendors.layer(config).pipe(Layer.provideMerge(Layer.fresh(AdapterRegistryInMemory.layer)))
        )
      )
    ),
    Effect.provide(platform)
  )

describe("ConfiguredVendors", () => {
  it.effect("C31: every configured vendor is there, and sample; an unknown one lists them", () =>
    withVendors(
      yaml("index"),
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        assert.deepStrictEqual(yield* registry.list, ["index", "sample"])
        const description = yield* registry.describe("index")
        assert.strictEqual(description.type, "file")
        assert.strictEqual(description.description, "the index")
        assert.deepStrictEqual(description.capabilities, ["fetch"])
        assert.strictEqual(description.decoderVersion, 1)
        const error = yield* Effect.flip(registry.resolve("spy"))
        assert.strictEqual(error.message, "no vendor named spy; known: index, sample")
      })
    )
  )

  it.effect("sample can be switched off", () =>
    withVendors(
      yaml("index", "sample: false\n"),
      Effect.flatMap(AdapterRegistry, (registry) =>
        Effect.map(registry.list, (names) => assert.deepStrictEqual(names, ["index"]))
      )
    )
  )

  it.effect("a vendor that takes the name of sample is the typed error, unless sample is switched off", () =>
    Effect.gen(function* () {
      const inFile = yield* Effect.flip(withVendors(yaml("sample"), Effect.void))
      assert.strictEqual(inFile._tag, "ConfigurationError")
      // A configuration that was not made from a file is held to it by the registry.
      const config = yield* Effect.provide(configOf(yaml("sample", "sample: false\n")), platform)
      const layer = ConfiguredVendors.layer({ ...config, sample: true }).pipe(
        Layer.provideMerge(Layer.fresh(AdapterRegistryInMemory.layer))
      )
      const error = yield* Effect.flip(Effect.void.pipe(Effect.provide(layer), Effect.provide(platform)))
      assert.strictEqual(error._tag, "AdapterRegistryError")
      assert.match(error.message, /a vendor named sample is registered already/)
      yield* withVendors(yaml("sample", "sample: false\n"), Effect.void)
    })
  )

  it.effect("C24: the vendors live as long as the layer", () =>
    Effect.gen(function* () {
      const config = yield* configOf(yaml("index"))
      const registry = yield* AdapterRegistry
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(ConfiguredVendors.layer(config), scope)
      assert.deepStrictEqual(yield* registry.list, ["index", "sample"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* registry.list, [])
    }).pipe(Effect.provide([AdapterRegistryInMemory.layer, platform]))
  )

  it.effect("sample: SPX, 5,105 days, down to the line of the source", () =>
    withVendors(
      "",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const { fetch, symbols } = yield* registry.fetcher("sample")
        assert.deepStrictEqual(yield* symbols, ["SPX"])
        const series = yield* fetch.series({ symbol: "spx", kind: "bar", timeframe: "1d" })
        assert.deepInclude(series, { symbol: "SPX", currency: "USD", adjustment: "raw", session: "regular" })
        const range = between("2000-01-01", "2020-05-01")
        const request = yield* fetch.request(series, range)
        const answer = yield* fetch.fetch(request)
        const decoding = { series, range, request }
        const { bars, positions } = yield* fetch.decode(beginningOf(answer.body), decoding)
        assert.strictEqual(bars.length, 5105)
        assert.deepInclude(bars[0], {
          ts: Date.UTC(2000, 0, 3),
          open: 1469.25,
          close: 1455.219971,
          volume: 931_800_000
        })
        assert.deepInclude(bars.at(-1), { ts: Date.UTC(2020, 3, 17), close: 2874.560059 })
        assert.deepStrictEqual(yield* fetch.locate(beginningOf(answer.body), positions[0] ?? 0, decoding), {
          label: "line 2 of sp500-2000.csv",
          text: "2000-01-03,1469.250000,1478.000000,1438.359985,1455.219971,1455.219971,931800000"
        })
      })
    )
  )

  it.effect("sample is unadjusted as it says: its adjusted close is its close on every day", () =>
    Effect.gen(function* () {
      const adjusted = yaml("adjusted").replace("{ ts: date }", "{ ts: date, vwap: adjclose }")
      yield* withVendors(
        adjusted,
        Effect.gen(function* () {
          const { fetch } = yield* (yield* AdapterRegistry).fetcher("adjusted")
          const series = yield* fetch.series({ symbol: "SPX", kind: "bar", timeframe: "1d" })
          const range = between("2000-01-01", "2020-05-01")
          const request = yield* fetch.request(series, range)
          const { bars } = yield* fetch.decode(beginningOf((yield* fetch.fetch(request)).body), {
            series,
            range,
            request
          })
          assert.strictEqual(bars.filter((bar) => bar.vwap === bar.close).length, 5105)
        })
      )
    })
  )

  it.effect("C30: ping looks at the files", () =>
    withVendors(
      `${yaml("index")}  gone:\n    adapter: file\n    root: /nowhere\n    path: "{symbol}.csv"\n    timeframe: 1d\n`,
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        assert.isTrue((yield* registry.ping("index")).ok)
        const gone = yield* registry.ping("gone")
        assert.isFalse(gone.ok)
        assert.include(gone.detail, "/nowhere cannot be read")
      })
    )
  )
})
