import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { tenantName } from "../../flags/tenantName.ts"
import { Output } from "../../terminal/Output.ts"
import { nameArgument } from "./nameArgument.ts"
import { changeTenants } from "./withTenants.ts"

const remove = Effect.fn("tapestry tenants remove")(
  function* ({ name }: { readonly name: string }) {
    const json = yield* Json
    const { line } = yield* Output
    const wanted = yield* tenantName(name)
    yield* changeTenants((tenants) => tenants.remove(wanted))
    yield* line(json ? JSON.stringify({ removed: wanted }) : `tenant ${wanted} is removed`)
  },
  asCommand("tenants", "remove")
)

export const command = Command.make("remove", { name: nameArgument }, remove).pipe(
  Command.withDescription(
    "Remove a tenant that has no series and no jobs any more. One that has is refused and left alone."
  ),
  Command.withShortDescription("Remove a tenant that has nothing any more"),
  Command.withExamples([{ command: "tapestry tenants remove acme" }])
)
