/** The tenants of the store of a command's settings; null where there is no store yet. */
import { Effect } from "effect"
import { refusalOf } from "../../../layers/market/upkeep/SchemaReport.ts"
import { mismatch } from "../../../layers/market/upkeep/stamping.ts"
import type { Tenants } from "../../../services/Tenants.ts"
import { withUpkeep } from "../../withUpkeep.ts"

/** Reads; a store of another schema is refused. */
export const lookAtTenants = <A, E, R>(use: (tenants: Tenants) => Effect.Effect<A, E, R>) =>
  withUpkeep({ readonly: true }, (upkeep) =>
    Effect.gen(function* () {
      if (upkeep === null) return null
      const report = yield* upkeep.report
      if (report.state === "absent") return null
      if (report.state !== "current") {
        return yield* mismatch(
          refusalOf(upkeep.where, report) ??
            `${upkeep.where} has schema version ${report.version} and this release needs ${report.expected}: tapestry store migrate`
        )
      }
      return yield* use(upkeep.tenants)
    })
  )

const changing =
  (besideOwner: boolean) =>
  <A, E, R>(use: (tenants: Tenants) => Effect.Effect<A, E, R>) =>
    withUpkeep({ readonly: false, create: true, besideOwner }, (upkeep) =>
      upkeep === null ? Effect.succeed(null) : Effect.andThen(upkeep.migrate, use(upkeep.tenants))
    )

/** Migrates first, as every command does that writes. */
export const changeTenants = changing(false)

const schemaIsCurrent = withUpkeep({ readonly: true }, (upkeep) =>
  upkeep === null ? Effect.succeed(false) : Effect.map(upkeep.report, ({ state }) => state === "current")
)

/** As `changeTenants`; a server goes on meanwhile, and finds who has been added, where there is nothing to migrate. */
export const addToTenants = <A, E, R>(use: (tenants: Tenants) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(schemaIsCurrent, (current) => changing(current)(use))
