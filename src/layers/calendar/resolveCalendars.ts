/**
 * The section `calendars` of `tapestry.yaml`. A calendar may extend one that comes with Tapestry or another of the section, in any
 * order; what is wrong is told with its place, all at once.
 */
import { Result, Schema } from "effect"
import type { CalendarRules } from "../../domain/calendar/CalendarRules.ts"
import { dateOf } from "../../domain/calendar/dates.ts"
import { type DocumentProblem, problemsOf } from "../config/issueProblems.ts"
import { nearest } from "../config/nearest.ts"
import { builtIn } from "./builtIn.ts"
import { CalendarSpec } from "./CalendarSpec.ts"
import { resolveCalendar } from "./resolveCalendar.ts"

const decodeSpec = Schema.decodeUnknownResult(CalendarSpec, { errors: "all", onExcessProperty: "error" })

const calendarName = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/

/** Never open: what a calendar begins with that extends none. */
const blank: CalendarRules = {
  name: "",
  title: "a calendar of its own",
  zone: "UTC",
  known: { start: dateOf(1970, 1, 1), end: dateOf(2100, 1, 1) },
  weeks: [{ from: dateOf(1970, 1, 1), days: [null, null, null, null, null, null, null] }],
  specialDays: () => []
}

/** The calendars of the section, by name in its order; or all that is wrong with them. */
export const resolveCalendars = (
  section: Readonly<Record<string, unknown>>
): Result.Result<ReadonlyArray<CalendarRules>, ReadonlyArray<DocumentProblem>> => {
  const problems: Array<DocumentProblem> = []
  const specs = new Map<string, CalendarSpec>()
  const resolved = new Map<string, CalendarRules | null>()
  const complain = (
    path: ReadonlyArray<string>,
    expected: string,
    found: string | null = null,
    remedy: string | null = null
  ) => problems.push({ path: ["calendars", ...path], expected, found, remedy })

  for (const [name, part] of Object.entries(section)) {
    if (!calendarName.test(name)) {
      complain([name], "a name of letters, digits, - _ . and /", JSON.stringify(name))
    } else if (builtIn.some((rules) => rules.name === name)) {
      complain([name], "another name", "that of a calendar that comes with Tapestry", `rename it, and extend ${name}`)
    }
    const decoded = decodeSpec(part)
    if (Result.isSuccess(decoded)) specs.set(name, decoded.success)
    else {
      for (const one of problemsOf(decoded.failure.issue)) {
        problems.push({ ...one, path: ["calendars", name, ...one.path] })
      }
    }
  }

  /** What a calendar extends; null when that is none, or none that could be read. */
  const baseOf = (name: string, spec: CalendarSpec, extending: ReadonlyArray<string>): CalendarRules | null => {
    const target = spec.extends
    if (target === undefined) {
      if (spec.zone === undefined) complain([name, "zone"], "an IANA zone, such as Europe/Berlin", "nothing", "add it")
      if (spec.hours === undefined) {
        complain(
          [name, "hours"],
          "hours by weekday, such as mon-fri: 09:00-17:30",
          "nothing",
          "add them, or extend a calendar"
        )
      }
      return blank
    }
    if (target === name || extending.includes(target)) {
      complain([name, "extends"], "a calendar that does not extend this one", [...extending, name, target].join(" > "))
      return null
    }
    const own = specs.get(target)
    if (own !== undefined) return resolve(target, own, [...extending, name])
    const found = builtIn.find((rules) => rules.name === target)
    if (found === undefined && !Object.hasOwn(section, target)) {
      const names = [...builtIn.map((rules) => rules.name), ...Object.keys(section).filter((other) => other !== name)]
      const meant = nearest(target, names)
      complain([name, "extends"], `one of ${names.join(", ")}`, null, meant === null ? null : `did you mean ${meant}?`)
    }
    return found ?? null
  }

  const resolve = (name: string, spec: CalendarSpec, extending: ReadonlyArray<string>): CalendarRules | null => {
    const known = resolved.get(name)
    if (known !== undefined) return known
    const base = baseOf(name, spec, extending)
    const rules =
      base === null ? null : resolveCalendar(name, spec, base, (path, ...rest) => complain([name, ...path], ...rest))
    resolved.set(name, rules)
    return rules
  }

  const calendars = [...specs].map(([name, spec]) => resolve(name, spec, []))
  return problems.length > 0 ? Result.fail(problems) : Result.succeed(calendars.filter((rules) => rules !== null))
}
