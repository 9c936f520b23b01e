/** Procedures that do what the tests of the border need: answer, wait, stream, fail, and break. */
import { Deferred, Effect, Layer, Option, Queue, Schema, Stream } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Bar } from "../../../../src/domain/Bar.ts"
import { TimeRange } from "../../../../src/domain/TimeRange.ts"
import { Border, OnShutdown } from "../../../../src/rpc/contract/Border.ts"

export class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

const count = { count: Schema.Int }

export class TestRpcs extends RpcGroup.make(
  Rpc.make("echo", { payload: { text: Schema.String }, success: Schema.String }),
  Rpc.make("texts", { payload: { texts: Schema.Array(Schema.String) }, success: Schema.Int }),
  /** An `x` so many times; how often it was called is seen on the stage. */
  Rpc.make("counted", { payload: { times: Schema.Int }, success: Schema.String }),
  Rpc.make("ranged", { payload: { range: TimeRange, limit: Schema.optionalKey(Schema.Int) }, success: Schema.Int }),
  Rpc.make("nothing"),
  Rpc.make("optional", { payload: { limit: Schema.optionalKey(Schema.Int) }, success: Schema.Int }),
  Rpc.make("header", { payload: { name: Schema.String }, success: Schema.String }),
  Rpc.make("refuse", { success: Schema.String, error: Refused }),
  Rpc.make("wait", { payload: { key: Schema.String }, success: Schema.String }),
  Rpc.make("stubborn", { success: Schema.String }),
  Rpc.make("note", { payload: { text: Schema.String } }),
  Rpc.make("die", { success: Schema.String }),
  Rpc.make("throws", { success: Schema.String }),
  Rpc.make("unencodable", { success: Schema.Finite }),
  Rpc.make("bars", { payload: { ...count, chunk: Schema.Int }, success: Bar, stream: true }).annotate(
    OnShutdown,
    "cut"
  ),
  Rpc.make("unencodableChunk", { success: Schema.Finite, stream: true }),
  Rpc.make("ticks", { success: Schema.Int, stream: true })
).middleware(Border) {}

export const barAt = (index: number): Bar => ({
  ts: 1_577_836_800_000 + index * 60_000,
  open: 3_200.25 + (index % 100) * 0.25,
  high: 3_201.5 + (index % 100) * 0.25,
  low: 3_199.75,
  close: 3_200 + (index % 100) * 0.25,
  volume: 1_234 + (index % 1_000),
  vwap: null,
  count: index % 500
})

/** Made afresh for every chunk, as rows that come from a store are. */
const barStream = (rows: number, size: number): Stream.Stream<Bar> =>
  Stream.paginate(0, (from) => {
    const bars = Array.from({ length: Math.min(size, rows - from) }, (_, index) => barAt(from + index))
    const next = from + bars.length
    return Effect.succeed([bars, next < rows ? Option.some(next) : Option.none()])
  })

/** What the handlers saw and wait for. */
export interface Stage {
  readonly notes: Queue.Queue<string>
  /** Keys of `wait` that began, and those that were interrupted. */
  readonly began: Array<string>
  readonly interrupted: Array<string>
  readonly gate: Deferred.Deferred<void>
  counted: number
}

export const makeStage: Effect.Effect<Stage> = Effect.gen(function* () {
  return {
    notes: yield* Queue.bounded<string>(64),
    began: [],
    interrupted: [],
    gate: yield* Deferred.make<void>(),
    counted: 0
  }
})

const passThrough = Layer.succeed(Border, (call) => call)

/** Over a border that does nothing, unless the real one is asked for. */
export const layer = (stage: Stage, border: Layer.Layer<Border> = passThrough) =>
  Layer.merge(
    border,
    TestRpcs.toLayer({
      echo: ({ text }) => Effect.succeed(text),
      texts: ({ texts }) => Effect.succeed(texts.length),
      counted: ({ times }) =>
        Effect.sync(() => {
          stage.counted += 1
          return "x".repeat(times)
        }),
      ranged: ({ range }) => Effect.succeed(range.end - range.start),
      nothing: () => Effect.void,
      optional: ({ limit }) => Effect.succeed(limit ?? -1),
      header: ({ name }, { headers }) => Effect.succeed(headers[name] ?? "none"),
      refuse: () => Effect.fail(new Refused({ why: "because" })),
      wait: ({ key }) =>
        Effect.suspend(() => {
          stage.began.push(key)
          return Effect.as(Deferred.await(stage.gate), key)
        }).pipe(Effect.onInterrupt(() => Effect.sync(() => stage.interrupted.push(key)))),
      stubborn: () => Effect.uninterruptible(Effect.as(Deferred.await(stage.gate), "at last")),
      note: ({ text }) => Effect.asVoid(Queue.offer(stage.notes, text)),
      die: () => Effect.die(new Error("secret: the password is 1234")),
      throws: (): Effect.Effect<string> => {
        throw new Error("secret: thrown while the handler was made")
      },
      unencodable: () => Effect.succeed(Number.NaN),
      bars: ({ chunk, count }) => barStream(count, chunk),
      unencodableChunk: () => Stream.make(1, Number.NaN),
      ticks: () => Stream.concat(Stream.make(1), Stream.drain(Stream.fromEffect(Deferred.await(stage.gate))))
    })
  )
