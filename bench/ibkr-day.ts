/**
 * Claim: over a whole day of a gateway on which something goes wrong every minute, with the nightly reset, 100 lines and 1,000 consumers of which one in ten
 * is slow, every trade and bar is told once or is in a range that was told as unrepairable, quotes outside their gaps are those of the market, no consumer waits
 * for another, and at the end the process holds what it held at the beginning. Recorded meanwhile, by recordings that are killed, the store claims what happened and
 * nothing that was told as unrepairable, and all of the day when the jobs that were left are done.
 *
 * Run: `npm run bench -- ibkr-day`; or `node --expose-gc bench/ibkr-day.ts [minutes] [seed]`. Baseline: the simulated market itself, against which every
 * row is held. Simulated time goes as fast as the machine lets it; the process ends with 1 when anything differs.
 */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { day } from "./ibkr-day/day.ts"

const [minutes = 1_440, seed = 20_261_130] = process.argv.slice(2).map(Number)
const began = performance.now()
const cpu = process.cpuUsage()
const report = await Effect.runPromise(
  day({
    minutes,
    seed,
    consumers: 1_000,
    activity: 1,
    killEvery: 60,
    reset: { after: Math.round(minutes / 2), minutes: 10 },
    progress: (done) => {
      if (done % 60 === 0) console.error(`${done / 60} h of it in ${Math.round((performance.now() - began) / 1_000)} s`)
    }
  }).pipe(Effect.provide(TestClock.layer()))
)
const used = process.cpuUsage(cpu)
const count = (value: number) => value.toLocaleString("en")
const percent = (share: number) => `${(share * 100).toFixed(1)} %`
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`

console.log(`| ${(minutes / 60).toFixed(1)} h, seed ${seed} | |`)
console.log("|---|---|")
for (const [what, value] of [
  ["mishaps", count(Object.values(report.mishaps).reduce((sum, one) => sum + one, 0))],
  ["connections after the first", count(report.reconnects)],
  ["gaps told, over 103 streams", count(report.gaps)],
  [
    "trades and bars held against the market",
    `${count(report.rowsCompared - report.barsCompared)} and ${count(report.barsCompared)}`
  ],
  ["of them fetched from history to mend gaps", count(report.rowsRepaired)],
  ["of the tapes' time told as unrepairable (60 requests for history in 10 minutes)", percent(report.unrepairable)],
  [
    "rows in the store of what was recorded, over so many kills of the recording",
    `${count(report.stored.rows)}, ${report.kills}`
  ],
  ["of the recorded tapes' time not claimed by the store when the recording ended", percent(report.stored.unclaimed)],
  [
    "jobs that repaired, and the simulated hours that they took",
    `${count(report.stored.jobs)}, ${report.stored.jobHours.toFixed(1)} h`
  ],
  ["of the recorded tapes' time not claimed when they were done", percent(report.stored.unclaimedAfterJobs)],
  ["series whose archived answers were stored again and compared", count(report.stored.seriesRebuilt)],
  ["quotes held against the market", count(report.quotesCompared)],
  ["slow consumers ended, rows dropped for others", `${count(report.slowEnded)}, ${count(report.rowsDropped)}`],
  [
    "the longest that a row waited for a consumer that is not slow (time goes on in steps of 250 ms)",
    `${report.lag} ms`
  ],
  ["messages to the gateway, and the most in a second", `${count(report.messages)}, ${report.mostMessages}`],
  ["fibers, before and after", `${count(report.before.fibers)}, ${count(report.after.fibers)}`],
  ["requests at the gateway", `${report.before.requests.length}, ${report.after.requests.length}`],
  ["listeners of the socket", `${report.before.listeners}; ${report.after.listeners}`],
  ["heap", `${megabytes(report.heap.before)}, ${megabytes(report.heap.after)}`],
  [
    "time of the machine, and of its processor",
    `${Math.round((performance.now() - began) / 1_000)} s, ${Math.round((used.user + used.system) / 1e6)} s`
  ],
  ["problems", count(report.problems.length)]
]) {
  console.log(`| ${what} | ${value} |`)
}
for (const problem of report.problems) console.log(problem)
if (report.problems.length > 0) process.exitCode = 1
