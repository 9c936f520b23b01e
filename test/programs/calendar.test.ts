/** `tapestry calendar` as a user runs it. */
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { json, ok, scratch, tapestry } from "./tapestry.ts"

const where = { cwd: scratch("calendar") }
const lines = (...args: ReadonlyArray<string>) =>
  ok(where, "calendar", ...args)
    .trimEnd()
    .split("\n")

describe("tapestry calendar", () => {
  it("prints the week of Thanksgiving: a holiday, and a half day that is marked", () => {
    assert.deepStrictEqual(lines("XNYS", "--from", "2024-11-27", "--to", "2024-12-03"), [
      "XNYS, 2024-11-27 to 2024-12-03, in the time of America/New_York",
      "",
      "date        day  open   close",
      "2024-11-27  Wed  09:30  16:00",
      "2024-11-28  Thu  -      -      closed: Thanksgiving Day",
      "2024-11-29  Fri  09:30  13:00  early close: After Thanksgiving",
      "2024-12-02  Mon  09:30  16:00"
    ])
  })

  it("prints breaks where there are some, in the zone that is asked for, with the days between", () => {
    assert.deepStrictEqual(
      lines("XHKG", "--from", "2024-12-23", "--to", "2024-12-26", "--tz", "America/New_York").slice(2),
      [
        "date        day  open       break      until  close",
        "2024-12-23  Mon  20:30 -1d  23:00 -1d  00:00  03:00",
        "2024-12-24  Tue  20:30 -1d  -          -      23:00 -1d  early close: Christmas Eve",
        "2024-12-25  Wed  -          -          -      -          closed: Christmas Day"
      ]
    )
  })

  it("tells a late open from an early close", () => {
    const [, , , snow] = lines("XNYS", "--from", "1996-01-08", "--to", "1996-01-09")
    assert.strictEqual(snow, "1996-01-08  Mon  11:00  14:00  late open, early close: Snowstorm")
    const [, , , anniversary] = lines("XNYS", "--from", "2002-09-11", "--to", "2002-09-12")
    assert.strictEqual(anniversary, "2002-09-11  Wed  12:00  16:00  late open: Anniversary of September 11")
  })

  it("shows the next two weeks unless it is told otherwise", () => {
    const { range, sessions } = json(where, 0, "calendar", "24/7")
    const [start, end] = [Date.parse(range.start), Date.parse(range.end)]
    assert.strictEqual(end - start, 14 * 86_400_000)
    assert.isAtMost(Math.abs(Date.now() - start), 86_400_000 + 60_000)
    assert.strictEqual(sessions.length, 14)
  })

  it("lists calendars without a name, those of the configuration among them", () => {
    const cwd = scratch("calendar-config")
    writeFileSync(join(cwd, "tapestry.yaml"), "calendars:\n  desk: { extends: XNYS, holidays: [2024-11-27] }\n")
    const rows = ok({ cwd }, "calendar").trimEnd().split("\n")
    assert.strictEqual(rows.length, 9)
    assert.match(rows[6] ?? "", /^XNAS +1990-01-01 to 2029-01-01 +America\/New_York +Nasdaq/)
    assert.include(rows.at(-1), "desk")
    const shown = ok({ cwd }, "calendar", "desk", "--from", "2024-11-27", "--to", "2024-11-28")
    assert.include(shown, "2024-11-27  Wed  -     -      closed: holiday")
    assert.isFalse(existsSync(join(cwd, ".tapestry")))
    const { calendars } = json({ cwd }, 0, "calendar")
    assert.deepStrictEqual(
      calendars.map(({ name }: { readonly name: string }) => name),
      ["24/5", "24/7", "XCBF", "XHKG", "XLON", "XNAS", "XNYS", "desk"]
    )
  })

  it("names the calendars that there are when one is unknown", () => {
    const run = tapestry(where, "calendar", "NYSE")
    assert.strictEqual(run.code, 1)
    assert.include(run.stderr, "no calendar named NYSE; known: 24/5, 24/7, XCBF, XHKG, XLON, XNAS, XNYS")
    assert.strictEqual(run.stdout, "")
    const { error } = json(where, 1, "calendar", "NYSE")
    assert.deepStrictEqual([error._tag, error.reason], ["CalendarError", "UnknownCalendar"])
  })

  it("ends with 3 where part of the range is beyond what it knows", () => {
    const run = tapestry(where, "calendar", "XLON", "--from", "2028-12-27", "--to", "2029-02-01")
    assert.strictEqual(run.code, 3)
    assert.include(run.stdout, "2028-12-29  Fri  08:00  12:30  early close: New Year's Eve")
    assert.include(run.stderr, "XLON knows 1990-01-01 to 2029-01-01; of the rest of the range it says nothing")
  })

  it("refuses what cannot be meant", () => {
    for (const [args, said] of [
      [["XNYS", "--from", "2024-01-02", "--to", "2024-01-02"], /--to is exclusive/],
      [["XNYS", "--from", "2024-01-03", "--to", "2024-01-02"], /lies after --from/],
      [["--from", "2024-01-02"], /which calendar\?/],
      [["XNYS", "--tz", "Mars/Phobos"], /--tz Mars\/Phobos: not a time zone/],
      [["XNYS", "XLON"], /Unexpected positional argument/]
    ] as const) {
      const run = tapestry(where, "calendar", ...args)
      assert.strictEqual(run.code, 2, run.stderr)
      assert.match(run.stderr, said)
    }
  })

  it("is completed by the shells", () => {
    assert.match(ok(where, "--completions", "bash"), /calendar/)
  })
})
