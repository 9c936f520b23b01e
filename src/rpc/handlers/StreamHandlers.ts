import { Effect, Stream } from "effect"
import { MarketStreams } from "../../services/MarketStreams.ts"
import { Recorder } from "../../services/Recorder.ts"
import { StreamRpcs } from "../contract/StreamRpcs.ts"
import { counted } from "./CallTally.ts"
import { inPieces } from "./streamPieces.ts"

const make = Effect.gen(function* () {
  const streams = yield* MarketStreams
  const recorder = yield* Recorder

  return StreamRpcs.of({
    "Streams.keys": (selection) => streams.keys(selection),
    "Streams.subscribe": ({ policy, ...selection }) =>
      counted(
        streams.items(selection, policy === undefined ? {} : { policy }).pipe(
          Stream.chunks,
          Stream.flatMap((items) => Stream.fromArrays(...inPieces(items)))
        )
      ),
    "Streams.record": ({ segmentAge, ...selection }) =>
      recorder.record(selection, segmentAge === undefined ? {} : { segmentAge }),
    "Streams.endRecording": ({ session }) => recorder.end(session),
    "Streams.states": () => streams.states
  })
})

export const layer = StreamRpcs.toLayer(make)
