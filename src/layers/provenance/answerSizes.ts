/** What answers took so far, for a forecast of what the next ones will take: a look at the newest, whatever there is. */
import { Effect } from "effect"
import type { AnswerSize, ProvenanceStore } from "../../services/ProvenanceStore.ts"
import * as Planned from "../sqlite/planned.ts"
import type { SqliteDatabase, SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { archiveError } from "./archiveError.ts"
import { hex } from "./hex.ts"
import { storedSize } from "./tallies.ts"

const named = 20
/** How many of the newest answers are looked at for some of the same kind. */
const looks = [2 * named, 200]

const columns = `select q.range_start, q.range_end, p.sha256, ${storedSize} from`
const joined = `r join requests q on q.id = r.request join payloads p on p.id = r.payload
  where r.status = 'ok' and q.range_start is not null order by r.id desc`

/** The states are those of the index `responses_series`. */
const own = `${columns} (select id, request, payload, status from responses
    where series = (select id from series where key = ${Planned.text}) and status in ('ok', 'not_found', 'not_entitled')
    order by id desc limit ${named}) ${joined}`

const others = `select q.range_start, q.range_end, p.sha256, ${storedSize}, s.key from
  (select id, request, payload, status, series from responses order by id desc limit ${Planned.number})
  r join requests q on q.id = r.request join payloads p on p.id = r.payload join series s on s.id = r.series
  where r.status = 'ok' and q.range_start is not null order by r.id desc`

const newest = "select max(id) from responses"

const toSize = ([start, end, hash, bytes]: ReadonlyArray<SqlValue>): AnswerSize => ({
  range: { start: Number(start), end: Number(end) },
  sha256: hex(hash) ?? "",
  storedBytes: Number(bytes)
})

/** Vendor, kind and timeframe of a canonical key: `v1/vendor/dataset/symbol/kind/timeframe/...`, whose parts hold no slash. */
const kinOf = (series: string): string => {
  const [version, vendor, , , kind, timeframe] = series.split("/")
  return [version, vendor, kind, timeframe].join("/")
}

/** Of other series of the kind, the newest; nearly always the first few answers that are looked at are some. */
const sizesOfKin = (db: SyncDatabase, kin: string): ReadonlyArray<AnswerSize> => {
  let found: ReadonlyArray<AnswerSize> = []
  for (const looked of looks) {
    const rows = db.prepare(others).all(looked)
    found = rows
      .filter((row) => kinOf(String(row[4])) === kin)
      .slice(0, named)
      .map(toSize)
    if (found.length === named) break
  }
  return found
}

export const make = (database: SqliteDatabase): ProvenanceStore["Service"]["answerSizes"] => {
  // Kinds are as few as vendors have timeframes. What was found in full is as good until about as many answers have come again.
  const known = new Map<string, { readonly upTo: number; readonly sizes: ReadonlyArray<AnswerSize> }>()
  return Effect.fn("ProvenanceStore.answerSizes")((series) =>
    Effect.mapError(
      database.read("answerSizes", (db) => {
        const sizes = db.prepare(own).all(series).map(toSize)
        if (sizes.length > 0) return sizes
        const kin = kinOf(series)
        const upTo = Number(db.prepare(newest).get()?.[0] ?? 0)
        const before = known.get(kin)
        if (before !== undefined && upTo >= before.upTo && upTo < before.upTo + named) return before.sizes
        const found = sizesOfKin(db, kin)
        if (found.length === named) known.set(kin, { upTo, sizes: found })
        return found
      }),
      archiveError
    )
  )
}
