import { Effect } from "effect"
import { Imports } from "../../services/Imports.ts"
import { ImportRpcs } from "../contract/ImportRpcs.ts"
import { counted } from "./CallTally.ts"

const make = Effect.gen(function* () {
  const imports = yield* Imports

  return ImportRpcs.of({
    "Import.begin": () => imports.begin,
    "Import.segment": ({ session, spec, ...segment }) => imports.segment(session, spec, segment),
    "Import.end": ({ outcome, reason, session }) => imports.end(session, outcome, reason),
    "Import.replay": (of) => counted(imports.replay(of)),
    "Import.check": (options) => counted(imports.check(options))
  })
})

export const layer = ImportRpcs.toLayer(make)
