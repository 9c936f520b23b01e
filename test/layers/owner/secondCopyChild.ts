/**
 * Loads ExclusiveFile a second time, from the copy of the sources in the directory of the first argument, which has a
 * better-sqlite3 of its own. The first holds the file of the second argument; prints whether the second was let in then, whether
 * another process was, and whether the second was after the first had let go.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Effect } from "effect"
import * as first from "../../../src/layers/owner/ExclusiveFile.ts"

const [, self = "", copy = "", file = ""] = process.argv
const second: typeof first = await import(pathToFileURL(join(copy, "src/layers/owner/ExclusiveFile.ts")).href)
const asked = (module: typeof first) => Effect.runPromise(Effect.scoped(module.hold(file)))
const elsewhere = () => JSON.parse(spawnSync(process.execPath, [self, copy, file, "ask"], { encoding: "utf8" }).stdout)

if (process.argv[4] === "ask") {
  console.log(JSON.stringify(await asked(first)))
} else {
  const while_ = await Effect.runPromise(
    Effect.scoped(
      Effect.andThen(
        first.hold(file),
        Effect.promise(async () => ({ second: await asked(second), elsewhere: elsewhere() }))
      )
    )
  )
  console.log(JSON.stringify({ other: first.hold !== second.hold, ...while_, after: await asked(second) }))
}
