import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { tenantName } from "../../flags/tenantName.ts"
import { Output } from "../../terminal/Output.ts"
import { nameArgument } from "./nameArgument.ts"
import { tenantDocument } from "./tenantDocument.ts"
import { addToTenants } from "./withTenants.ts"

const add = Effect.fn("tapestry tenants add")(
  function* ({ name }: { readonly name: string }) {
    const json = yield* Json
    const { line } = yield* Output
    const wanted = yield* tenantName(name)
    const tenant = yield* addToTenants((tenants) => tenants.add(wanted))
    if (tenant === null) return
    yield* line(
      json
        ? JSON.stringify({ tenant: tenantDocument(tenant) })
        : `tenant ${tenant.name} is added; its id is ${tenant.id}`
    )
  },
  asCommand("tenants", "add")
)

export const command = Command.make("add", { name: nameArgument }, add).pipe(
  Command.withDescription(
    "Add a tenant to the store; the tables are made where there are none. Its name never changes. Of a database it takes the user who migrates it."
  ),
  Command.withShortDescription("Add a tenant to the store"),
  Command.withExamples([
    { command: "tapestry tenants add acme" },
    { command: "tapestry tenants add research --store postgres://owner@db.example/tapestry" }
  ])
)
