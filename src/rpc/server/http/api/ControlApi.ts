/**
 * The API over HTTP, for who has curl and no RPC client. What it is made of is in no declaration of the package: the types are
 * longer than the compiler writes down, and nobody outside builds on them.
 */
import { Schema } from "effect"
import {
  HttpApi,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiMiddleware,
  HttpApiSchema,
  HttpApiSecurity,
  OpenApi
} from "effect/http-api"
import { Backfill } from "../../../../domain/Backfill.ts"
import { RefreshTask, RetentionTask } from "../../../../domain/DeploymentTask.ts"
import { JobId, JobState } from "../../../../domain/Job.ts"
import { JobView } from "../../../contract/JobRpcs.ts"
import { SchemaVersion } from "../../../contract/StoreRpcs.ts"
import { AccountApi, MarketApi } from "./MarketApi.ts"
import { withOtherPaths } from "./otherPaths.ts"
import { Forbidden, jobProblems, storeProblems, Unauthorized } from "./Problems.ts"

/** Lets a request pass that has the admin token. */
export class AdminGuard extends HttpApiMiddleware.Service<AdminGuard>()("tapestry/AdminGuard", {
  security: { adminToken: HttpApiSecurity.bearer },
  error: [Unauthorized, Forbidden]
}) {}

/** `created` is false where the same was queued or running already. GET /jobs/{id} tells how it goes on. */
const Accepted = Schema.Struct({ job: JobId, state: JobState, created: Schema.Boolean }).pipe(HttpApiSchema.status(202))

const said = (summary: string) => OpenApi.annotations({ summary })

/** @internal */
export class StoreApi extends HttpApiGroup.make("store")
  .add(
    HttpApiEndpoint.get("schemaVersion", "/schema/version", {
      success: SchemaVersion,
      error: [...storeProblems]
    }).annotateMerge(
      said("The schema version that the market store has, what this release needs, and how the two stand")
    ),
    HttpApiEndpoint.get("job", "/jobs/:id", {
      params: { id: Schema.String.annotate({ description: "Of the job, or its first letters" }) },
      success: JobView,
      error: [...jobProblems]
    }).annotateMerge(said("A job, by its id or the first letters of it, with its newest attempt"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Store", description: "What the store has, and what is being done" })) {}

/** @internal */
export class AdminApi extends HttpApiGroup.make("admin")
  .add(
    HttpApiEndpoint.post("migrate", "/migrate", { success: Accepted, error: [...jobProblems] }).annotateMerge(
      said("Runs the migrations that are pending, as a job")
    ),
    HttpApiEndpoint.post("retention", "/retention/apply", {
      payload: [Schema.Null, RetentionTask],
      success: Accepted,
      error: [...jobProblems]
    }).annotateMerge(
      said(
        "Drops rows of a kind that are older, as a job; without a body, whatever the policies of the database say is old enough"
      )
    ),
    HttpApiEndpoint.post("refresh", "/refresh/aggregate", {
      payload: [Schema.Null, RefreshTask],
      success: Accepted,
      error: [...jobProblems]
    }).annotateMerge(
      said("Makes derived bars anew where bars of a minute have changed, as a job: of one timeframe, or of all")
    ),
    HttpApiEndpoint.post("backfill", "/backfill/:job", {
      params: { job: Schema.String.annotate({ description: "The name of the backfill, which is the key of its job" }) },
      payload: [Schema.Null, Backfill],
      success: Accepted,
      error: [...jobProblems]
    }).annotateMerge(
      said("Begins the backfill of that name anew, as it was queued last; with a body, as the body says")
    )
  )
  .middleware(AdminGuard)
  .annotateMerge(OpenApi.annotations({ title: "Admin", description: "What changes the deployment" })) {}

/** @internal */
export class ControlApi extends HttpApi.make("tapestry")
  .add(MarketApi, AccountApi, StoreApi, AdminApi)
  .middleware(HttpApiMiddleware.ProblemDetails)
  // A parameter that is misspelt would be answered as if it were not there.
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Tapestry",
      version: "1",
      description:
        "Market data over HTTP. What goes wrong is told as problem details (RFC 9457). Live data are JSON over a WebSocket under /ws.",
      transform: withOtherPaths
    })
  ) {}
