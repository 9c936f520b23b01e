import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import fc from "fast-check"
import * as ZoneClock from "../../src/domain/ZoneClock.ts"

const clockOf = (zone: string): ZoneClock.ZoneClock => {
  const clock = ZoneClock.make(zone)
  assert.isNotNull(clock)
  return clock ?? new ZoneClock.ZoneClock(DateTime.zoneMakeNamedUnsafe("UTC"))
}

const local = (text: string): number => Date.parse(`${text}Z`)
const iso = (instant: number): string => new Date(instant).toISOString()

describe("ZoneClock", () => {
  it("knows no zone that does not exist", () => {
    assert.isNull(ZoneClock.make("America/New_Yrok"))
  })

  for (const zone of [
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "UTC"
  ]) {
    it(`${zone}: agrees with the runtime's rules at any instant, and finds every instant again from its local time`, () => {
      const clock = clockOf(zone)
      const named = DateTime.zoneMakeNamedUnsafe(zone)
      fc.assert(
        fc.property(fc.integer({ min: Date.UTC(1971, 0, 1) / 1000, max: Date.UTC(2037, 0, 1) / 1000 }), (seconds) => {
          const instant = seconds * 1000
          const offset = DateTime.zonedOffset(DateTime.makeZonedUnsafe(instant, { timeZone: named }))
          assert.strictEqual(clock.offsetAt(instant), offset, iso(instant))
          const found = clock.resolve(instant + offset)
          assert.notStrictEqual(found._tag, "Never")
          if (found._tag === "Once") assert.strictEqual(found.at, instant)
          if (found._tag === "Twice") assert.include([found.earlier, found.later], instant)
          clock.offsetAt(instant)
          const quick = clock.quick(instant + offset)
          if (!Number.isNaN(quick)) assert.strictEqual(quick, instant)
        }),
        { numRuns: 400 }
      )
    })
  }

  for (const zone of ["America/New_York", "America/Chicago", "Europe/London", "Asia/Hong_Kong"]) {
    it(`${zone}: no change is missed where it looks once in 32 days`, () => {
      const clock = clockOf(zone)
      const format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        hourCycle: "h23",
        day: "numeric",
        hour: "numeric"
      })
      const different: Array<string> = []
      for (let at = Date.UTC(1970, 0, 1); at < Date.UTC(2035, 0, 1); at += 86_400_000) {
        const local = new Date(at + clock.offsetAt(at))
        if (format.format(at) !== `${local.getUTCDate()}, ${String(local.getUTCHours()).padStart(2, "0")}`) {
          different.push(iso(at))
        }
      }
      assert.deepStrictEqual(different, [])
    })
  }

  it("Recife, October 2000: forward and back within a week", () => {
    const clock = clockOf("America/Recife")
    const hoursAt = (text: string) => clock.offsetAt(Date.parse(text)) / 3_600_000
    assert.deepStrictEqual(["2000-10-07T12:00Z", "2000-10-12T12:00Z", "2000-10-16T12:00Z"].map(hoursAt), [-3, -2, -3])
  })

  it("New York, 10 March 2013: the hour from 02:00 does not exist", () => {
    const clock = clockOf("America/New_York")
    const at = (text: string) => clock.resolve(local(text))
    assert.deepStrictEqual(at("2013-03-10T01:59"), { _tag: "Once", at: Date.parse("2013-03-10T06:59Z") })
    assert.deepStrictEqual(at("2013-03-10T02:00"), { _tag: "Never" })
    assert.deepStrictEqual(at("2013-03-10T02:59"), { _tag: "Never" })
    assert.deepStrictEqual(at("2013-03-10T03:00"), { _tag: "Once", at: Date.parse("2013-03-10T07:00Z") })
  })

  it("New York, 3 November 2013: the hour from 01:00 happens twice", () => {
    const clock = clockOf("America/New_York")
    const at = (text: string) => clock.resolve(local(text))
    assert.deepStrictEqual(at("2013-11-03T00:59"), { _tag: "Once", at: Date.parse("2013-11-03T04:59Z") })
    assert.deepStrictEqual(at("2013-11-03T01:30"), {
      _tag: "Twice",
      earlier: Date.parse("2013-11-03T05:30Z"),
      later: Date.parse("2013-11-03T06:30Z")
    })
    assert.deepStrictEqual(at("2013-11-03T02:00"), { _tag: "Once", at: Date.parse("2013-11-03T07:00Z") })
  })

  it("a day begins where midnight does not exist: Sao Paulo, 4 November 2018", () => {
    assert.strictEqual(iso(clockOf("America/Sao_Paulo").first(local("2018-11-04T00:00"))), "2018-11-04T03:00:00.000Z")
    assert.strictEqual(iso(clockOf("America/New_York").first(local("2013-11-03T00:00"))), "2013-11-03T04:00:00.000Z")
  })
})
