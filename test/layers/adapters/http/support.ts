/** The whole way of a range to a vendor over HTTP, from its YAML: a real server, a fresh directory, real stores. */
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Cause, ConfigProvider, Effect, Exit, Path, Stream } from "effect"
import type { Bar } from "../../../../src/domain/Bar.ts"
import type { RangePolicy } from "../../../../src/domain/Plan.ts"
import type { Timeframe } from "../../../../src/domain/Timeframe.ts"
import * as HttpAdapter from "../../../../src/layers/adapters/http/HttpAdapter.ts"
import * as TapestryConfig from "../../../../src/layers/config/TapestryConfig.ts"
import type { MarketStore } from "../../../../src/services/MarketStore.ts"
import { ProvenanceStore } from "../../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../../src/services/StitchingCache.ts"
import { over, temporaryDirectory } from "../../stitching/support.ts"

/** The adapter of `vendors.v` in a YAML text. */
export const adapterOf = Effect.fnUntraced(
  function* (yaml: string, env: Record<string, string> = {}, dataDir = join(tmpdir(), "tapestry-no-data")) {
    const path = yield* Path.Path
    const config = yield* Effect.fromResult(TapestryConfig.decode("/nowhere/tapestry.yaml", yaml, path))
    const [vendor] = config.vendors
    if (vendor?.adapter !== "http") return yield* Effect.die("no vendor over HTTP")
    return yield* Effect.provide(
      HttpAdapter.make(vendor, { dataDir }),
      ConfigProvider.layer(ConfigProvider.fromEnvRecord(env))
    )
  },
  Effect.provide([NodePath.layer, NodeFileSystem.layer])
)

export const iso = (ts: number) => new Date(ts).toISOString().slice(0, 10)

export interface Reading {
  readonly symbol?: string
  readonly timeframe?: Timeframe
  readonly from: string
  readonly to: string
  readonly policy?: RangePolicy
}

/** What reading a range gives: its bars, the states of its coverage, and how often the vendor was asked. */
export const read = Effect.fnUntraced(function* ({ from, policy, symbol = "ACME", timeframe = "1d", to }: Reading) {
  const cache = yield* StitchingCache
  const series = yield* cache.resolve("v", { symbol, kind: "bar", timeframe })
  const range = { start: Date.parse(from), end: Date.parse(to) }
  const answer = yield* cache.read(
    { series, range, ...(policy === undefined ? {} : { policy }) },
    { onMissing: "partial" }
  )
  const chunks: ReadonlyArray<Bar> = yield* Stream.runCollect(answer.bars)
  return {
    series,
    bars: chunks,
    closes: chunks.map((bar) => bar.close),
    requests: answer.requests,
    coverage: answer.coverage,
    states: answer.coverage.map(
      ({ end, start, state }) =>
        `${iso(start)} ${iso(end)} ${state._tag}${state._tag === "Missing" ? ` ${state.cause?.tag ?? ""}` : ""}`
    )
  }
})

/** As `read`, with the failure's message where it fails. */
export const attempt = (reading: Reading) =>
  Effect.map(Effect.exit(read(reading)), (exit) =>
    Exit.isSuccess(exit)
      ? exit.value
      : { failure: Cause.squash(exit.cause) instanceof Error ? String(Cause.squash(exit.cause)) : "" }
  )

/** Status and payload of the newest responses, oldest first. */
export const archived = Effect.fnUntraced(function* (limit = 20) {
  const store = yield* ProvenanceStore
  const responses = (yield* store.responses({ limit })).toReversed()
  return yield* Effect.forEach(responses, (response) =>
    Effect.map(
      response.sha256 === null ? Effect.succeed(new Uint8Array()) : store.payload(response.sha256),
      (payload) => ({
        ...response,
        text: new TextDecoder().decode(payload)
      })
    )
  )
})

/** Services over a fresh directory with the vendor `v` of a YAML text. */
export const using = <A, E>(
  yaml: string,
  use: (directory: string) => Effect.Effect<A, E, StitchingCache | MarketStore | ProvenanceStore>,
  env: Record<string, string> = {}
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const adapter = yield* adapterOf(yaml, env, directory)
      return yield* Effect.provide(use(directory), over(directory, [adapter]))
    })
  )
