import { Effect } from "effect"
import { Command } from "effect/cli"
import { AdapterRegistry } from "../../../services/AdapterRegistry.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { vendorDocument } from "../../format/vendorText.ts"
import { printList } from "../../terminal/printList.ts"
import { withVendors } from "../../withData.ts"

const all = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  return yield* Effect.forEach(yield* registry.list, registry.describe)
})

const list = Effect.fn("tapestry vendors list")(
  function* () {
    yield* printList({
      name: "vendors",
      items: yield* withVendors(all),
      columns: [
        { header: "vendor", align: "left" },
        { header: "type", align: "left" },
        { header: "can", align: "left" },
        { header: "timeframes", align: "left" },
        { header: "description", align: "left" }
      ],
      row: (vendor) => [
        vendor.name,
        vendor.type,
        vendor.capabilities.join(" "),
        Object.keys(vendor.limits.timeframes).join(" "),
        vendor.description
      ],
      document: vendorDocument,
      none: "no vendors"
    })
  },
  asCommand("vendors", "list")
)

export const command = Command.make("list", {}, list).pipe(
  Command.withDescription("The vendors of the configuration, and the sample that is always there."),
  Command.withExamples([{ command: "tapestry vendors list" }])
)
