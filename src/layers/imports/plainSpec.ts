import type { ImportSpec } from "../../services/Imports.ts"

/**
 * How rows are written that a program has: as `dump` writes them, so that they are read again as they were. One that is not accepted when
 * it is read again is a mistake of ours, so the segment fails with it.
 */
export const plainSpec: Omit<ImportSpec, "name" | "kind"> = {
  format: "ndjson",
  header: null,
  delimiter: ",",
  nullToken: "",
  defaults: {
    vendor: null,
    dataset: null,
    symbol: null,
    timeframe: null,
    price: null,
    session: null,
    currency: null,
    adjustment: null
  },
  symbolCase: "exact",
  nulls: "overwrite",
  unknownColumns: "refuse",
  rejects: "fail"
}
