import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, Effect, Layer, type Scope } from "effect"
import { MarketStore, MarketStoreError, StoreUnavailable } from "../../services/MarketStore.ts"
import * as MarketStoreSqlite from "../market/MarketStoreSqlite.ts"

const prefix = "market-check-"

const failed = (directory: string) => (cause: unknown) =>
  new MarketStoreError({
    reason: new StoreUnavailable({
      message: `no store to compare with can be made in ${directory}: ${cause instanceof Error ? cause.message : cause}`
    })
  })

/** What a killed process left in `directory` is removed first: it may hold one such store at a time. */
export const scratchIn = (directory: string): Effect.Effect<MarketStore["Service"], MarketStoreError, Scope.Scope> =>
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
    return Context.get(context, MarketStore)
  })

/**
 * Makes an empty store that nobody else sees, for as long as the scope lives: what a check builds in. In a directory of its own
 * under the temporary directory unless provided.
 */
export const ScratchStore = Context.Reference<Effect.Effect<MarketStore["Service"], MarketStoreError, Scope.Scope>>(
  "tapestry/ScratchStore",
  {
    defaultValue: () =>
      Effect.flatMap(
        Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
        ),
        scratchIn
      )
  }
)
