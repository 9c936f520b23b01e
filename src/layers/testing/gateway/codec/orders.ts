/**
 * Orders as they are told: `OPEN_ORDER` and `COMPLETED_ORDER` in the layouts of versions 176 to 193, in full. What orders of the simulated market never
 * have (legs, algorithms, conditions, margins) is said as absent.
 */
import type { Order } from "../market/Orders.ts"
import { message, noNumber } from "../wire/text.ts"
import { inGmt } from "../wire/zoned.ts"
import { positionContract } from "./contract.ts"

type Field = string | number
const noInt = 2_147_483_647

const contractOf = ({ listing: { instrument } }: Order): ReadonlyArray<Field> => [
  ...positionContract(instrument),
  "SMART",
  instrument.currency,
  instrument.localSymbol,
  instrument.tradingClass
]

const termsOf = ({ account, isBuy, limit, quantity, reference, timeInForce }: Order): ReadonlyArray<Field> => [
  isBuy ? "BUY" : "SELL",
  quantity,
  limit === null ? "MKT" : "LMT",
  limit ?? 0,
  0,
  timeInForce,
  "",
  account.name,
  "",
  0,
  reference
]

/** Group, method and percentage of an advisor, a profile with old versions, and a model. */
const advisor = (version: number): ReadonlyArray<Field> => ["", "", "", ...(version < 177 ? [""] : []), ""]

/** Good till, rule 80A, offset, firm, and a short sale's three. */
const instructions: ReadonlyArray<Field> = ["", "", noNumber, "", 0, "", -1]
/** Of boxes and pegs: five prices. */
const pegs: ReadonlyArray<Field> = [noNumber, noNumber, noNumber, noNumber, noNumber]
/** Volatility and its type, its hedge, updates and a reference. */
const volatility: ReadonlyArray<Field> = [noNumber, 0, "None", noNumber, 0, "", "", "", "?", 0, 0, "", 0, 0]
const trail: ReadonlyArray<Field> = [noNumber, noNumber]
/** A description, legs, their prices, and routing. */
const combination: ReadonlyArray<Field> = ["", 0, 0, 0]
const scale: ReadonlyArray<Field> = [noInt, noInt, noNumber]
/** Five of orders that are pegged to the best or the middle. */
const offsets: ReadonlyArray<Field> = [noInt, noInt, noNumber, noNumber, noNumber]

/** What an account holder and its kind are, by version. */
const customer = (version: number): ReadonlyArray<Field> => [
  ...(version >= 183 ? [""] : []),
  ...(version >= 184 ? [0] : [])
]

export const openOrderText = (version: number, order: Order): string =>
  message(
    5,
    order.id,
    ...contractOf(order),
    ...termsOf(order),
    order.clientId,
    order.permId,
    0,
    0,
    0,
    "",
    "",
    ...advisor(version),
    ...instructions,
    0,
    ...pegs,
    noInt,
    0,
    0,
    0,
    noInt,
    3,
    0,
    0,
    noNumber,
    0,
    0,
    ...volatility,
    ...trail,
    noNumber,
    noInt,
    ...combination,
    ...scale,
    // A hedge, routing, clearing, held, a neutral delta, an algorithm, solicited.
    "",
    0,
    "",
    "IB",
    0,
    0,
    "",
    0,
    // Not what-if; how it stands, nine margins, three commissions.
    0,
    order.status,
    ...Array.from({ length: 12 }, () => noNumber),
    "",
    "",
    0,
    0,
    // Conditions; what it is adjusted to; tiers; cash; hedges' prices, containers and discretion.
    0,
    "None",
    noNumber,
    noNumber,
    noNumber,
    noNumber,
    noNumber,
    noNumber,
    0,
    "",
    "",
    "",
    noNumber,
    0,
    0,
    0,
    // Price management, duration, systems it is posted to, a parent's end.
    0,
    noInt,
    noInt,
    0,
    ...offsets,
    ...customer(version),
    ...(version >= 185 ? [""] : []),
    ...(version >= 189 ? [0] : []),
    ...(version >= 193 ? ["", noInt] : [])
  )

export const completedOrderText = (version: number, order: Order): string => {
  const filled = order.status === "Filled" ? order.quantity : 0
  return message(
    101,
    ...contractOf(order),
    ...termsOf(order),
    order.permId,
    0,
    0,
    0,
    "",
    ...advisor(version),
    ...instructions,
    ...pegs,
    noInt,
    0,
    0,
    noInt,
    3,
    0,
    ...volatility.slice(0, 5),
    0,
    0,
    "",
    0,
    0,
    ...trail,
    ...combination,
    ...scale,
    "",
    "",
    "IB",
    0,
    0,
    "",
    0,
    order.status,
    0,
    0,
    0,
    noNumber,
    noNumber,
    noNumber,
    0,
    0,
    "",
    filled,
    0,
    0,
    "",
    0,
    0,
    0,
    inGmt(order.endedAt),
    order.status === "Filled" ? `Filled Size: ${filled}` : "Cancelled by Trader",
    ...offsets,
    ...customer(version)
  )
}
