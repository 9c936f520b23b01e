import { Effect } from "effect"
import { Command } from "effect/cli"
import type { Check } from "../checks/Check.ts"
import { checkClock } from "../checks/clock.ts"
import { checkConfiguration } from "../checks/configuration.ts"
import { checkDataDirectory } from "../checks/dataDirectory.ts"
import { checkDisk } from "../checks/disk.ts"
import { checkJobs } from "../checks/jobs.ts"
import { checkOwner } from "../checks/owner.ts"
import { checkQuota } from "../checks/quota.ts"
import { checkVendors } from "../checks/vendors.ts"
import { checkVersions } from "../checks/versions.ts"
import { Ended } from "../failure/Ended.ts"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { Output } from "../terminal/Output.ts"
import { oneLine, type Style, styleOf } from "../terminal/Style.ts"

const mark = (check: Check, style: Style): string =>
  check.result === "ok" ? style.green("ok  ") : check.result === "warning" ? style.yellow("warn") : style.red("fail")

const doctor = Effect.fn("tapestry doctor")(function* () {
  const json = yield* Json
  const { line, lines, terminal } = yield* Output
  const style = styleOf(terminal)
  const checks = (yield* Effect.all([
    checkVersions,
    checkConfiguration,
    checkDataDirectory,
    checkOwner,
    checkQuota,
    checkJobs,
    checkDisk,
    checkClock,
    checkVendors
  ])).flat()
  const width = Math.max(...checks.map(({ name }) => name.length))
  yield* json
    ? line(JSON.stringify({ ok: checks.every(({ result }) => result !== "failed"), checks }))
    : lines(checks.map((check) => `${mark(check, style)}  ${check.name.padEnd(width)}  ${oneLine(check.detail)}`))
  if (checks.some(({ result }) => result === "failed")) return yield* new Ended({ code: 1 })
}, asCommand("doctor"))

export const command = Command.make("doctor", {}, doctor).pipe(
  Command.withDescription(
    "Whether all is well: versions, the configuration, the data directory, its owner and its databases, the disk, the clock, and each vendor. Ends with 1 when something is not."
  ),
  Command.withExamples([{ command: "tapestry doctor" }])
)
