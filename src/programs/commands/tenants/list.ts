import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { grouped } from "../../format/Numbers.ts"
import { moment } from "../../format/ZonedTime.ts"
import { printList } from "../../terminal/printList.ts"
import { tenantDocument } from "./tenantDocument.ts"
import { lookAtTenants } from "./withTenants.ts"

const list = Effect.fn("tapestry tenants list")(
  function* () {
    const found = yield* lookAtTenants((tenants) => tenants.list)
    yield* printList({
      name: "tenants",
      items: found ?? [],
      columns: [
        { header: "tenant", align: "left" },
        { header: "id", align: "left" },
        { header: "added (UTC)", align: "left" },
        { header: "series", align: "right" },
        { header: "rows", align: "right" }
      ],
      row: (tenant) => [
        tenant.name,
        tenant.id,
        tenant.createdAt === 0 ? "-" : moment(tenant.createdAt),
        grouped(tenant.series),
        grouped(tenant.rows)
      ],
      document: tenantDocument,
      none: "no tenants: there is no store yet"
    })
  },
  asCommand("tenants", "list")
)

export const command = Command.make("list", {}, list).pipe(
  Command.withDescription(
    "The tenants of the store, with how many series and rows each has. Of a database it takes a user who may read its tables."
  ),
  Command.withShortDescription("The tenants of the store"),
  Command.withExamples([{ command: "tapestry tenants list" }])
)
