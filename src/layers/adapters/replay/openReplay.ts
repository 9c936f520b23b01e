import { Context, Effect, Layer } from "effect"
import type { TenantName } from "../../../domain/Tenant.ts"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import * as ProvenanceStoreSqlite from "../../provenance/ProvenanceStoreSqlite.ts"
import * as ReplayAdapter from "../../recording/ReplayAdapter.ts"
import type { ReplayVendor } from "./ReplayVendor.ts"

/** Over the archive of the data directory, which is read beside whoever writes it. */
export const openReplay = Effect.fnUntraced(function* (
  { description, name, session, speed }: ReplayVendor,
  { dataDir, tenant }: { readonly dataDir: string; readonly tenant?: TenantName }
) {
  const scope = yield* Effect.scope
  const around = yield* Effect.context<Layer.Services<ReturnType<typeof ProvenanceStoreSqlite.layer>>>()
  const archive = Layer.buildWithScope(
    Layer.fresh(
      ProvenanceStoreSqlite.layer({ directory: dataDir, readonly: true, ...(tenant === undefined ? {} : { tenant }) })
    ),
    scope
  ).pipe(
    Effect.map((context) => Context.get(context, ProvenanceStore)),
    Effect.provideContext(around)
  )
  return yield* ReplayAdapter.make({ name, description, session, speed, archive })
})
