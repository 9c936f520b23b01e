/** What is not as it was, or not as somebody else was told it, in words. */
import type { Digest, Follower } from "./consumers.ts"
import type { Inventory } from "./inventory.ts"

/** In which simulated time goes on: milliseconds. */
export const step = 250

export const differs = (what: string, before: unknown, after: unknown): ReadonlyArray<string> => {
  const [one, other] = [JSON.stringify(before), JSON.stringify(after)]
  return one === other ? [] : [`${what}: before ${one}, after ${other}`]
}

/** The threads that tend the files of SQLite begin when they are first needed, and each has a port. */
const withoutPorts = ({ MessagePort: _, ...handles }: Inventory["handles"]) => handles

const without = (all: ReadonlyArray<string>, some: ReadonlyArray<string>): ReadonlyArray<string> => {
  const left = [...some]
  return all.filter((one) => {
    const found = left.indexOf(one)
    if (found !== -1) left.splice(found, 1)
    return found === -1
  })
}

export const leaks = (before: Inventory, after: Inventory): ReadonlyArray<string> => {
  const more = without(after.requests, before.requests)
  const less = without(before.requests, after.requests)
  return [
    ...differs("handles", withoutPorts(before.handles), withoutPorts(after.handles)),
    ...differs("listeners of the socket", before.listeners, after.listeners),
    ...differs("fibers", before.fibers, after.fibers),
    ...(more.length + less.length === 0
      ? []
      : [`requests at the gateway: more ${JSON.stringify(more)}, less ${JSON.stringify(less)}`])
  ]
}

/** `told`: of the consumer whose rows were held against the market. */
export const strays = (follower: Follower, told: Digest): ReadonlyArray<string> => {
  const { digest, ended, failure, name, policy, slow } = follower
  const problems: Array<string> = []
  if (failure !== null) problems.push(`failed: ${failure}`)
  if (digest.last !== told.last) problems.push("the newest row that it has is not the newest")
  if (policy._tag === "lossless" && !slow) {
    if (ended > 0) problems.push("was ended as too slow")
    if (digest.rows !== told.rows || digest.sum !== told.sum) {
      problems.push(`had ${digest.rows} rows of ${told.rows}, or others`)
    }
  }
  if (policy._tag === "sliding" && digest.rows + digest.dropped !== told.rows) {
    problems.push(`had ${digest.rows} rows and was told of ${digest.dropped} more, of ${told.rows}`)
  }
  // A step of the clock goes on while those wake up whom it has woken.
  if (!slow && digest.lag >= step) problems.push(`rows waited ${digest.lag} ms for it`)
  // What repairs bring waits beside what comes live for one that is lossless, and is bounded by them.
  if (slow && policy._tag === "sliding" && follower.most > policy.rows) {
    problems.push(`${follower.most} rows waited for it at once`)
  }
  return problems.map((what) => `${name}: ${what}`)
}
