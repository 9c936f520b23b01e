import { Metric } from "effect"
import { migrationsApplied } from "../../services/Metrics.ts"

/** Of the migrations that ran. */
export const countMigrations = (ran: ReadonlyArray<number>) => Metric.update(migrationsApplied, ran.length)
