import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, Effect, Layer, type Scope } from "effect"
import { MarketStore, MarketStoreError, StoreUnavailable } from "../../services/MarketStore.ts"
import { RecordStore } from "../../services/RecordStore.ts"
import * as MarketStoreSqlite from "../market/MarketStoreSqlite.ts"

/** An empty store that nobody else sees. */
export interface ScratchStores {
  readonly market: MarketStore["Service"]
  readonly records: RecordStore["Service"]
}

type Make = Effect.Effect<ScratchStores, MarketStoreError, Scope.Scope>

const failed = (directory: string) => (cause: unknown) =>
  new MarketStoreError({
    reason: new StoreUnavailable({
      message: `no store to compare with can be made in ${directory}: ${cause instanceof Error ? cause.message : cause}`
    })
  })

/** In a directory whose name begins so; what a killed process left is removed first: there is one of a name at a time. */
export const scratchIn = (directory: string, prefix = "market-check-"): Make =>
  Effect.gen(function* () {
    const made = yield* Effect.acquireRelease(
      Effect.try({
        try: () => {
          for (const name of readdirSync(directory)) {
            if (name.startsWith(prefix)) rmSync(join(directory, name), { recursive: true, force: true })
          }
          return mkdtempSync(join(directory, prefix))
        },
        catch: failed(directory)
      }),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
    )
    const context = yield* Layer.build(MarketStoreSqlite.layer({ filename: join(made, "market.sqlite") }))
    return { market: Context.get(context, MarketStore), records: Context.get(context, RecordStore) }
  })

/**
 * Makes an empty store that nobody else sees, for as long as the scope lives: what a check builds in. In a directory of its own
 * under the temporary directory unless provided.
 */
export const ScratchStore = Context.Reference<Make>("tapestry/ScratchStore", {
  defaultValue: () =>
    Effect.flatMap(
      Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
      ),
      (directory) => scratchIn(directory)
    )
})
