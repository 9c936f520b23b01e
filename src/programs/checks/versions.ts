import { Effect } from "effect"
import manifest from "../../../package.json" with { type: "json" }
import { failed, ok } from "./Check.ts"

const oldest = 24

/** The versions of Tapestry, Node and what it is built on. */
export const checkVersions = Effect.sync(() => {
  const node = process.versions.node
  const detail = `tapestry ${manifest.version}, node ${node}, effect ${manifest.dependencies.effect}, better-sqlite3 ${manifest.dependencies["better-sqlite3"]}, ${process.platform} ${process.arch}`
  return Number.parseInt(node, 10) >= oldest
    ? [ok("versions", detail)]
    : [failed("versions", `${detail}; node ${oldest} or newer is needed`)]
})
