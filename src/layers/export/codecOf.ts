import { Effect } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import type { ExportFormat } from "./Manifest.ts"
import type { RowCodec } from "./RowCodec.ts"
import * as TextRows from "./TextRows.ts"

/** The codec of one file of bars. `series` is the canonical text of its key. Arrow's library is loaded for Arrow alone. */
export const codecOf = (format: ExportFormat, lineage: boolean, series: string): Effect.Effect<RowCodec<Bar>> => {
  switch (format) {
    case "csv":
      return Effect.sync(() => TextRows.csv(lineage))
    case "ndjson":
      return Effect.sync(() => TextRows.ndjson(lineage))
    case "arrow":
      return Effect.map(
        Effect.promise(() => import("./ArrowRows.ts")),
        ({ arrow }) => arrow(lineage, { "tapestry.series": series })
      )
  }
}
