import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const folder = join(import.meta.dirname, "../../../../shared/data/market/exchange_calendars")

/** Whether the published calendars are beside the project. */
export const oracle: boolean = existsSync(folder)
if (!oracle) console.log("skipped: calendars against the published ones (they are not beside the project)")

/** A row of a published calendar, as it is written there. */
export interface OracleRow {
  readonly session: string
  readonly open: string
  readonly close: string
  readonly breakStart: string
  readonly breakEnd: string
}

export const oracleRows = (file: string): ReadonlyArray<OracleRow> =>
  readFileSync(join(folder, `${file}.csv`), "utf8")
    .split(/\r?\n/)
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => {
      const [session = "", open = "", close = "", breakStart = "", breakEnd = ""] = line.split(",")
      return { session, open, close, breakStart, breakEnd }
    })
