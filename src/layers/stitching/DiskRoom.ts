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

/** Milliseconds for which a disk is not looked at again: what is written in them is within any reserve. */
const lookEvery = 20

export const diskRoomOf = (directory: string, reserve: number): DiskRoom => {
  let seen: { readonly at: number; readonly free: number } | null = null
  return {
    directory,
    reserve,
    free: Effect.orElseSucceed(
      // The disk is the one that SQLite reads and writes in the event loop; a thread of the pool would only cost its waking.
      Effect.try(() => {
        const at = performance.now()
        if (seen !== null && at - seen.at < lookEvery) return seen.free
        const { bavail, bsize } = statfsSync(directory)
        seen = { at, free: bavail * bsize }
        return seen.free
      }),
      () => null
    )
  }
}

/** The disk that a fetch must fit on; null, the default: nobody looks. */
export const DiskRoom = Context.Reference<DiskRoom | null>("tapestry/StitchingCache/DiskRoom", {
  defaultValue: () => null
})
