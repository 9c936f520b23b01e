import type { DocumentProblem } from "../config/issueProblems.ts"
import { nearest } from "../config/nearest.ts"

/** The mistake of a vendor that names a calendar which there is not; null when it is none. */
export const unknownCalendar = (
  path: ReadonlyArray<string>,
  name: string | null | undefined,
  known: ReadonlyArray<string>
): DocumentProblem | null => {
  if (typeof name !== "string" || known.includes(name)) return null
  const meant = nearest(name, known)
  return {
    path,
    expected: `the name of a calendar: ${known.join(", ")}`,
    found: JSON.stringify(name),
    remedy: meant === null ? "describe it under calendars" : `did you mean ${meant}?`
  }
}
