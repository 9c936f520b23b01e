import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { DeploymentTask } from "../../domain/DeploymentTask.ts"
import { Migrated, Stamped } from "../../services/ControlPlane.ts"
import { JobQueueError } from "../../services/JobQueue.ts"
import { MarketStoreError } from "../../services/MarketStore.ts"
import { PolicyChange } from "../../services/StorePolicies.ts"
import { AdminOnly } from "./AdminOnly.ts"
import { Enqueued } from "./JobRpcs.ts"

/** What changes the deployment for everybody; see AdminOnly for who may. */
export class AdminRpcs extends RpcGroup.make(
  /** Runs the migrations that are pending. */
  Rpc.make("Admin.migrate", { success: Migrated, error: MarketStoreError }),
  /** Records a schema version that the tables prove; unless `confirm` is true it is only looked whether they do. */
  Rpc.make("Admin.stamp", {
    payload: { version: Schema.Int, confirm: Schema.optionalKey(Schema.Boolean) },
    success: Stamped,
    error: MarketStoreError
  }),
  /** Changes what the database does by itself; false where there was nothing to change. Needs TimescaleDB. */
  Rpc.make("Admin.policy", { payload: { change: PolicyChange }, success: Schema.Boolean, error: MarketStoreError }),
  /** Begins a task as a job, unless the same one is queued or running; `Jobs.watch` tells how it goes on. */
  Rpc.make("Admin.start", { payload: { task: DeploymentTask }, success: Enqueued, error: JobQueueError })
).middleware(AdminOnly) {}
