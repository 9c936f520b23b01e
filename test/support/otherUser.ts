/** Another user of this machine, for tests of data directories that are not one's own. Only root can become one. */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

/** `nobody`, as an option of child processes. */
export const nobody = { uid: 65_534, gid: 65_534 } as const

const project = fileURLToPath(new URL("../../package.json", import.meta.url))

/** Root is here, and the other user can run this node and read this project (a clone under a closed home cannot be read). */
export const canBecomeNobody =
  process.getuid?.() === 0 &&
  spawnSync(process.execPath, ["-e", `require("node:fs").readFileSync(${JSON.stringify(project)})`], nobody).status ===
    0

/** Says in one counted line that tests are left out. */
export const withoutNobody = (tests: number, what: string): void => {
  if (canBecomeNobody) return
  console.log(`skipped: ${tests} test(s) of ${what} (needs root, and another user who can read this project)`)
}
