/** What answers took so far, for a forecast of what the next ones will take: a look at the newest, whatever there is. */
import { Effect } from "effect"
import type { AnswerSize, ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { SqliteDatabase, SqlValue } from "../sqlite/SqliteDatabase.ts"
import { archiveError } from "./archiveError.ts"
import { hex } from "./hex.ts"
import { storedSize } from "./tallies.ts"

const named = 20
/** How many of the newest answers are looked at for some of the same kind: most often the first few are. */
const looks = [2 * named, 200]

const columns = `select q.range_start, q.range_end, p.sha256, ${storedSize} from`
const joined = `r join requests q on q.id = r.request join payloads p on p.id = r.payload
  where r.status = 'ok' and q.range_start is not null order by r.id desc`

/** The states are those of the index `responses_series`. */
const own = `${columns} (select id, request, payload, status from responses
    where series = (select id from series where key = ?) and status in ('ok', 'not_found', 'not_entitled')
    order by id desc limit ${named}) ${joined}`

const others = `select q.range_start, q.range_end, p.sha256, ${storedSize}, s.key from
  (select id, request, payload, status, series from responses order by id desc limit ?)
  r join requests q on q.id = r.request join payloads p on p.id = r.payload join series s on s.id = r.series
  where r.status = 'ok' and q.range_start is not null order by r.id desc`

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

export const make = (database: SqliteDatabase): ProvenanceStore["Service"]["answerSizes"] =>
  Effect.fn("ProvenanceStore.answerSizes")((series) =>
    Effect.mapError(
      database.read("answerSizes", (db) => {
        const sizes = db.prepare(own).all(series).map(toSize)
        if (sizes.length > 0) return sizes
        const kin = kinOf(series)
        let alike: ReadonlyArray<ReadonlyArray<SqlValue>> = []
        for (const looked of looks) {
          alike = db
            .prepare(others)
            .all(looked)
            .filter((row) => kinOf(String(row[4])) === kin)
          if (alike.length >= named) break
        }
        return alike.slice(0, named).map(toSize)
      }),
      archiveError
    )
  )
