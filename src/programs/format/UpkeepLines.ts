import type { CompactReport, GcReport } from "../../services/ProvenanceStore.ts"
import { bytes, counted } from "./Numbers.ts"

const what = (report: GcReport): string =>
  [
    counted(report.responses, "response"),
    counted(report.requests, "request"),
    counted(report.sessions, "session"),
    `${counted(report.payloads, "payload")} of ${bytes(report.payloadBytes)}`
  ].join(", ")

/** What a gc removed, or would remove, for people. */
export const gcLines = (report: GcReport): ReadonlyArray<string> => [
  `${report.applied ? "removed" : "would remove"} ${what(report)}`,
  ...(report.orphanFiles === 0
    ? []
    : [`${report.applied ? "removed" : "and"} ${counted(report.orphanFiles, "file")} that no record speaks of`]),
  ...(report.keptByReference === 0
    ? []
    : [
        `${counted(report.keptByReference, "response")} of that age stay, because rows, coverage or revisions point to them`
      ]),
  ...(report.applied ? [] : ["nothing was changed; --apply does it"])
]

/** What a compaction did, for people. */
export const compactLines = (report: CompactReport): ReadonlyArray<string> => [
  `compressed ${counted(report.payloads, "payload")}: ${bytes(report.storedBefore)} of payloads are ${bytes(report.storedAfter)} now`,
  `database ${bytes(report.databaseBefore)}, now ${bytes(report.databaseAfter)}`,
  ...(report.freeBytes === 0 ? [] : [`${bytes(report.freeBytes)} in it are free, and used by later answers`]),
  ...(report.damaged === 0
    ? []
    : [`${counted(report.damaged, "damaged payload")} left alone; archive verify names them`])
]
