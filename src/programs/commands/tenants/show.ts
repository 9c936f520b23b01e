import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { tenantName } from "../../flags/tenantName.ts"
import { grouped } from "../../format/Numbers.ts"
import { moment } from "../../format/ZonedTime.ts"
import { Output } from "../../terminal/Output.ts"
import { fieldLines } from "../../terminal/printList.ts"
import { styleOf } from "../../terminal/Style.ts"
import { nothingYet } from "../../withUpkeep.ts"
import { nameArgument } from "./nameArgument.ts"
import { tenantDocument } from "./tenantDocument.ts"
import { lookAtTenants } from "./withTenants.ts"

const show = Effect.fn("tapestry tenants show")(
  function* ({ name }: { readonly name: string }) {
    const json = yield* Json
    const { line, lines, terminal } = yield* Output
    const wanted = yield* tenantName(name)
    const tenant = yield* lookAtTenants((tenants) => tenants.find(wanted))
    if (tenant === null) return yield* line(json ? JSON.stringify({ tenant: null }) : yield* nothingYet)
    if (json) return yield* line(JSON.stringify({ tenant: tenantDocument(tenant) }))
    yield* lines(
      fieldLines(
        [
          ["tenant", tenant.name],
          ["id", tenant.id],
          ["added", tenant.createdAt === 0 ? "with the store" : `${moment(tenant.createdAt)} UTC`],
          ["series", grouped(tenant.series)],
          ["rows", grouped(tenant.rows)]
        ],
        styleOf(terminal).dim
      )
    )
  },
  asCommand("tenants", "show")
)

export const command = Command.make("show", { name: nameArgument }, show).pipe(
  Command.withDescription("One tenant: its id, which SQL of your own sets, and what it has."),
  Command.withShortDescription("One tenant: its id and what it has"),
  Command.withExamples([{ command: "tapestry tenants show acme" }])
)
