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
      (orders, name) => orders.list(name),
      (client, name) => client["Orders.list"]({ vendor: name })
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
        text(order),
        text(client),
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
      none: "no orders"
    })
  },
  asCommand("ibkr", "order", "list")
)

export const command = Command.make("list", flags, list).pipe(
  Command.withDescription(
    "All orders that are at work at the gateway, whoever placed them, and those that are filled or cancelled of which it still tells (without their number), as it says now. An order that was placed here has its key."
  ),
  Command.withShortDescription("Orders that are at work, and those that are over"),
  Command.withExamples([{ command: "tapestry ibkr order list --json" }])
)
