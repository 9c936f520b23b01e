/** Contracts in a table: what those that are looked up and those that are found have in common, and between them what only one of the two has. */
import type { Contract, ContractMatch } from "../../../domain/Contract.ts"
import type { Column } from "../../format/Table.ts"
import { printList } from "../../terminal/printList.ts"

interface Extra<A> {
  readonly column: Column
  readonly text: (one: A) => string
}

export const printContracts = <A extends Contract | ContractMatch>(
  items: ReadonlyArray<A>,
  exchangeOf: (one: A) => string,
  extras: ReadonlyArray<Extra<A>>,
  none: string
) =>
  printList({
    name: "contracts",
    items,
    columns: [
      { header: "id", align: "right" },
      { header: "contract", align: "left" },
      { header: "kind", align: "left" },
      { header: "exchange", align: "left" },
      { header: "currency", align: "left" },
      ...extras.map(({ column }) => column),
      { header: "name", align: "left" }
    ],
    row: (one) => [
      one.id,
      one.name,
      one.kind,
      exchangeOf(one),
      one.currency,
      ...extras.map(({ text }) => text(one)),
      one.description
    ],
    document: (one) => one,
    none
  })
