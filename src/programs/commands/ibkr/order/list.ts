import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../../failure/UsageError.ts"
import { printList } from "../../../terminal/printList.ts"
import { vendorFlag } from "../lookup.ts"
import { ordering } from "./ordering.ts"

const flags = { vendor: vendorFlag }

const text = (value: number | string | null): string => (value === null ? "" : String(value))

const list = Effect.fn("tapestry ibkr order list")(
  function* ({ vendor }: Command.Command.Config.Infer<typeof flags>) {
    const items = yield* ordering(
      vendor,
      (orders, name) => orders.open(name),
      (client, name) => client["Orders.open"]({ vendor: name })
    )
    yield* printList({
      name: "orders",
      items,
      columns: [
        { header: "order", align: "right" },
        { header: "client", align: "right" },
        { header: "contract", align: "left" },
        { header: "side", align: "left" },
        { header: "quantity", align: "right" },
        { header: "limit", align: "point" },
        { header: "filled", align: "right" },
        { header: "status", align: "left" },
        { header: "account", align: "left" },
        { header: "key", align: "left" }
      ],
      row: ({ account, client, filled, key, limit, order, quantity, side, status, symbol }) => [
        String(order),
        String(client),
        text(symbol),
        text(side),
        text(quantity),
        limit === null ? "market" : String(limit),
        text(filled),
        status,
        text(account),
        text(key)
      ],
      document: (order) => order,
      none: "no order is open"
    })
  },
  asCommand("ibkr", "order", "list")
)

export const command = Command.make("list", flags, list).pipe(
  Command.withDescription(
    "All orders that are at work at the gateway, whoever placed them, as it says now. Filled and cancelled ones are not among them."
  ),
  Command.withShortDescription("Orders that are at work"),
  Command.withExamples([{ command: "tapestry ibkr order list --json" }])
)
