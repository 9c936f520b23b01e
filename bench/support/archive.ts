/** What both archive benchmarks stand on: a fresh data directory, an in-process vendor of 10 kB answers, and the clock. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Duration, Effect, Layer } from "effect"
import { unlimited } from "../../src/domain/VendorLimits.ts"
import * as IngestSessionLive from "../../src/layers/ingest/IngestSessionLive.ts"
import * as ProvenanceStoreSqlite from "../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as QuotaSqlite from "../../src/layers/quota/QuotaSqlite.ts"
import * as AdapterRegistryInMemory from "../../src/layers/registry/AdapterRegistryInMemory.ts"
import type { Adapter, VendorRequest } from "../../src/services/Adapter.ts"
import { AdapterRegistry } from "../../src/services/AdapterRegistry.ts"
import { type FetchOptions, IngestSession, type OpenIngestSession } from "../../src/services/IngestSession.ts"

export const payloadBytes = 10_240
export const runs = 5

/** Distinct payloads: `count` slices of random-looking bytes, each with its number in front. */
export const makePayloads = (count: number): ReadonlyArray<Uint8Array> => {
  const noise = new Uint8Array(payloadBytes)
  let state = 20_261_101
  for (let i = 0; i < noise.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    noise[i] = state >>> 24
  }
  return Array.from({ length: count }, (_, index) => {
    const payload = noise.slice()
    new DataView(payload.buffer).setUint32(0, index)
    return payload
  })
}

const unused = Effect.die(new Error("not part of this measurement"))

const vendor = (payloads: ReadonlyArray<Uint8Array>): Adapter => {
  let served = 0
  return {
    name: "bench",
    type: "in-process",
    description: "answers 10 kB at once",
    account: "bench",
    limits: unlimited,
    fetch: {
      series: () => unused,
      request: () => unused,
      fetch: () =>
        Effect.sync(() => ({
          body: payloads[served++ % payloads.length] ?? new Uint8Array(0),
          metadata: {
            contentType: "application/json",
            encoding: null,
            transportStatus: 200,
            url: "https://vendor.example/v1/bars?symbol=AAPL",
            elapsedMillis: 0,
            headers: { "content-type": "application/json", date: "Mon, 02 Nov 2026 10:00:00 GMT" },
            adapter: {}
          },
          refusal: null
        })),
      decode: () => unused,
      locate: () => unused,
      cost: () => 0,
      decoderVersion: 1
    },
    symbols: Effect.succeed([]),
    ping: Effect.succeed({ ok: true, elapsed: Duration.zero, detail: "in process" })
  }
}

export const request = (index: number): VendorRequest => ({
  kind: "bars",
  method: "GET",
  params: { symbol: "AAPL", timeframe: "1m", from: 1_600_000_000_000 + index * 86_400_000, adjusted: false },
  body: null,
  weight: 1,
  keys: {}
})

export const options = (index: number): FetchOptions => ({
  cacheMode: { _tag: "default", ttl: null },
  subject: {
    series: "v1/bench/-/AAPL/bar/1m/trade/regular/USD/raw",
    range: { start: 1_600_000_000_000 + index * 86_400_000, end: 1_600_000_000_000 + (index + 1) * 86_400_000 }
  }
})

export const temporary = (): string => mkdtempSync(join(tmpdir(), "tapestry-bench-"))
export const discard = (directory: string): void => rmSync(directory, { recursive: true, force: true })

/** Runs a measurement in one open session over a new archive. */
export const inSession = <A>(
  payloads: ReadonlyArray<Uint8Array>,
  use: (session: OpenIngestSession) => Effect.Effect<A, { readonly message: string }>
): Promise<A> => {
  const directory = temporary()
  const services = IngestSessionLive.layer.pipe(
    Layer.provide(
      Layer.mergeAll(
        ProvenanceStoreSqlite.layer({ directory }),
        QuotaSqlite.layer({ filename: join(directory, "quota.sqlite") }),
        Layer.effectDiscard(
          Effect.flatMap(AdapterRegistry, (registry) => registry.register(Effect.succeed(vendor(payloads))))
        ).pipe(Layer.provideMerge(AdapterRegistryInMemory.layer))
      )
    ),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
  )
  return Effect.runPromise(
    Effect.gen(function* () {
      const ingest = yield* IngestSession
      return yield* use(yield* ingest.open({ source: "bench", mode: "batch" }))
    }).pipe(Effect.scoped, Effect.provide(services))
  ).finally(() => discard(directory))
}

/** Calls a second of `count` calls, `atOnce` of them at a time. */
export const rate = <E>(
  count: number,
  atOnce: number,
  call: (index: number) => Effect.Effect<unknown, E>
): Effect.Effect<number, E> =>
  Effect.gen(function* () {
    const started = performance.now()
    yield* Effect.forEach(
      Array.from({ length: count }, (_, index) => index),
      call,
      { concurrency: atOnce, discard: true }
    )
    return count / ((performance.now() - started) / 1000)
  })

export const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

export interface Line {
  readonly what: string
  readonly measured: number
  /** The figure asked for, calls a second; null for a baseline. */
  readonly target: number | null
}

/** The table, and whether each line reaches its figure; `baseline` is the last line's. */
export const report = (
  title: string,
  lines: ReadonlyArray<Line>,
  baseline: number,
  targetRatio: number | null
): void => {
  const number = (value: number) => Math.round(value).toLocaleString("en-US").padStart(9)
  console.log(`${title} (median of ${runs} runs)`)
  for (const line of lines) {
    const ratio = (line.measured / baseline).toFixed(2)
    const target = line.target === null ? "" : `   target ${number(line.target)}/s`
    const verdict =
      line.target === null
        ? ""
        : line.measured >= line.target || (targetRatio !== null && line.measured >= targetRatio * baseline)
          ? "   holds"
          : "   misses"
    console.log(`  ${line.what.padEnd(44)}${number(line.measured)}/s   ${ratio} x baseline${target}${verdict}`)
  }
  if (targetRatio !== null) console.log(`  target ratio ${targetRatio} x baseline`)
}
