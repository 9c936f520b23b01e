import { Effect } from "effect"
import * as QuotaSqlite from "../../../src/layers/quota/QuotaSqlite.ts"
import { quotaContract } from "../../services/Quota.contract.ts"
import { temporaryFile } from "./support.ts"

quotaContract(
  "SQLite",
  Effect.map(temporaryFile, (filename) => QuotaSqlite.layer({ filename }))
)
