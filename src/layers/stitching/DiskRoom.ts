import { statfsSync } from "node:fs"
import { Context, Effect } from "effect"

/** What is known of the disk that a data directory lies on. */
export interface DiskRoom {
  readonly directory: string
  /** Bytes that this user may still write there; null where it cannot be told. */
  readonly free: Effect.Effect<number | null>
  /** Bytes that no fetch may use up. */
  readonly reserve: number
}

export const diskRoomOf = (directory: string, reserve: number): DiskRoom => ({
  directory,
  reserve,
  free: Effect.orElseSucceed(
    // The disk is the one that SQLite reads and writes in the event loop; a thread of the pool would only cost its waking.
    Effect.try(() => {
      const { bavail, bsize } = statfsSync(directory)
      return bavail * bsize
    }),
    () => null
  )
})

/** The disk that a fetch must fit on; null, the default: nobody looks. */
export const DiskRoom = Context.Reference<DiskRoom | null>("tapestry/StitchingCache/DiskRoom", {
  defaultValue: () => null
})
