/** What needs a server with TimescaleDB: one line says so where there is none. */
import { onTimescaleOrSkipped } from "../../../support/timescale.ts"
import { aggregatesSuite } from "./aggregates.suite.ts"
import { hypertablesSuite } from "./hypertables.suite.ts"
import { policiesSuite } from "./policies.suite.ts"

onTimescaleOrSkipped((databases) => {
  hypertablesSuite(databases)
  policiesSuite(databases)
  aggregatesSuite(databases)
})
