/**
 * The desks of the series that are worked at, by canonical key.
 *
 * Responsibilities: everybody who works at a series at the same time has the same desk; one that knows something is kept for the
 * next who comes. Queueing: none, every step is synchronous.
 *
 * Hard cases: which series are asked for is the callers' choice, so a desk at which nothing was learnt goes with its last user,
 * and of those that are idle only the latest are kept. A desk that is lost costs one look into the archive.
 */
import { Effect, type Scope } from "effect"
import * as SeriesDesk from "./SeriesDesk.ts"

/** Idle desks that are kept. */
const maxIdle = 1_024

interface Place {
  readonly desk: SeriesDesk.SeriesDesk
  users: number
}

/** The desk of a series until the scope closes. */
export const make = (): ((text: string) => Effect.Effect<SeriesDesk.SeriesDesk, never, Scope.Scope>) => {
  const used = new Map<string, Place>()
  // In the order in which they were left.
  const idle = new Map<string, Place>()

  const take = Effect.fnUntraced(function* (text: string) {
    const place = used.get(text) ?? idle.get(text) ?? { desk: yield* SeriesDesk.make, users: 0 }
    idle.delete(text)
    used.set(text, place)
    place.users++
    return place
  })

  const leave = (text: string, place: Place) =>
    Effect.sync(() => {
      place.users--
      if (place.users > 0) return
      used.delete(text)
      if (!SeriesDesk.knows(place.desk)) return
      idle.set(text, place)
      const [oldest] = idle.keys()
      if (idle.size > maxIdle && oldest !== undefined) idle.delete(oldest)
    })

  return (text) =>
    Effect.map(
      Effect.acquireRelease(take(text), (place) => leave(text, place)),
      ({ desk }) => desk
    )
}
