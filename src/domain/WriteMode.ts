import { Schema } from "effect"

/**
 * How rows are written to PostgreSQL, by the names that users of market-data-store write. There is one way, the same at every size, so
 * all of them mean that one: they are accepted, and nothing follows from them.
 */
export const WriteMode = Schema.Literals(["auto", "executemany", "values", "copy"])
export type WriteMode = typeof WriteMode.Type
