/** Who worked: seconds of processor time of this process and of a PostgreSQL on this machine (Linux). */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const ticks = 100

/** Parent, then user and system time of the process and of its children that have ended. */
const statOf = (pid: string) => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number)
    const [own = 0, system = 0, children = 0, childrenSystem = 0] = fields.slice(11, 15)
    return { parent: fields[1], own: own + system, ended: children + childrenSystem }
  } catch {
    // It has ended since.
    return null
  }
}

/** Of the server whose postmaster is `pid`, in seconds; 0 where there is no /proc. */
export const serverSeconds = (postmaster: number): number => {
  const root = statOf(String(postmaster))
  if (root === null) return 0
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(statOf)
    .filter((stat) => stat?.parent === postmaster)
  return (root.own + root.ended + children.reduce((sum, stat) => sum + (stat?.own ?? 0), 0)) / ticks
}

export const ownSeconds = (): number => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1_000_000
}

/** The pid of the server with this `data_directory`. */
export const postmasterIn = (directory: string): number =>
  Number.parseInt(readFileSync(join(directory, "postmaster.pid"), "utf8"), 10)
