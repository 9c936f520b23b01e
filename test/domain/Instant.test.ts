import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { formatInstant, parseInstant, parseSpan, parseZone, utc, type Zone } from "../../src/domain/Instant.ts"

const read = (text: string): number => Result.getOrThrowWith(parseInstant(text), (why) => new Error(why))
const zone = (id: string): Zone => Result.getOrThrowWith(parseZone(id), (why) => new Error(why))
const refusal = <A>(result: Result.Result<A, string>): string =>
  Result.isFailure(result) ? result.failure : "accepted"

describe("parseInstant", () => {
  it("reads what ISO 8601 allows", () => {
    const cases: ReadonlyArray<readonly [text: string, expected: number]> = [
      ["2019-01-02", Date.UTC(2019, 0, 2)],
      ["2019-01-02T09:30Z", Date.UTC(2019, 0, 2, 9, 30)],
      ["2019-01-02T09:30:15Z", Date.UTC(2019, 0, 2, 9, 30, 15)],
      ["2019-01-02T09:30:15.5Z", Date.UTC(2019, 0, 2, 9, 30, 15, 500)],
      ["2019-01-02T09:30:15,25Z", Date.UTC(2019, 0, 2, 9, 30, 15, 250)],
      ["2019-01-02T09:30-05:00", Date.UTC(2019, 0, 2, 14, 30)],
      ["2019-01-02T09:30-0500", Date.UTC(2019, 0, 2, 14, 30)],
      ["2019-01-02T09:30-05", Date.UTC(2019, 0, 2, 14, 30)],
      ["2019-01-02T00:30+05:45", Date.UTC(2019, 0, 1, 18, 45)],
      ["2019-01-02T24:00Z", Date.UTC(2019, 0, 3)],
      ["2020-02-29", Date.UTC(2020, 1, 29)],
      ["2000-02-29", Date.UTC(2000, 1, 29)],
      ["1969-12-31T23:59:59.999Z", -1],
      ["0001-01-01", -62_135_596_800_000],
      ["0050-06-01", new Date("0050-06-01T00:00:00Z").getTime()],
      ["9999-12-31T23:59:59.999Z", 253_402_300_799_999]
    ]
    for (const [text, expected] of cases) assert.strictEqual(read(text), expected, text)
  })

  it("rounds what is finer than a millisecond up, before 1970 too", () => {
    assert.strictEqual(read("1970-01-01T00:00:00.001Z"), 1)
    assert.strictEqual(read("1970-01-01T00:00:00.0010Z"), 1)
    assert.strictEqual(read("1970-01-01T00:00:00.0010001Z"), 2)
    assert.strictEqual(read("1970-01-01T00:00:00.000000001Z"), 1)
    assert.strictEqual(read("1970-01-01T00:00:59.999999999Z"), 60_000)
    assert.strictEqual(read("1969-12-31T23:59:59.998000001Z"), -1)
    assert.strictEqual(read("1969-12-31T23:59:59.999000001Z"), 0)
  })

  it("refuses the rest with a sentence that helps", () => {
    const cases: ReadonlyArray<readonly [text: string, says: RegExp]> = [
      ["2019-01-02T09:30", /needs its offset from UTC; write 2019-01-02T09:30Z/],
      ["2019-01-02T09:30:00.000", /needs its offset/],
      ["2023-02-30", /that month has 28 days/],
      ["1900-02-29", /that month has 28 days/],
      ["2023-04-31", /that month has 30 days/],
      ["2023-01-00", /that month has 31 days/],
      ["2023-13-01", /there is no month 13/],
      ["2023-00-01", /there is no month 0/],
      ["0000-01-01", /years run from 0001 to 9999/],
      ["2023-01-01T24:30Z", /hours run from 00 to 23/],
      ["2023-01-01T24:00:00.1Z", /hours run from 00 to 23/],
      ["2023-01-01T25:00Z", /hours run/],
      ["2023-01-01T10:60Z", /minutes run/],
      ["2016-12-31T23:59:60Z", /no leap seconds/],
      ["2023-01-01T10:00+24:00", /no such offset/],
      ["2023-01-01T10:00+05:60", /no such offset/],
      ["0001-01-01T00:00+01:00", /outside the years/],
      ["9999-12-31T23:59:59.9999Z", /outside the years/],
      ["9999-12-31T24:00Z", /outside the years/]
    ]
    for (const [text, says] of cases) assert.match(refusal(parseInstant(text)), says, text)
    for (const text of [
      "",
      " 2019-01-02",
      "2019-01-02 09:30Z",
      "20190102",
      "2019-1-2",
      "2019-01",
      "2019",
      "02.01.2019",
      "01/02/2019",
      "1546387200000",
      "yesterday",
      "2019-01-02Z",
      "2019-01-02T09Z",
      "2019-01-02T09:30:00.0000000001Z",
      "2019-01-02T09:30z",
      "+002019-01-02",
      "2019-01-02T09:30Z\n"
    ]) {
      assert.match(refusal(parseInstant(text)), /write 2019-01-02 or 2019-01-02T09:30:00Z/, text)
    }
  })
})

describe("parseSpan", () => {
  it("reads a whole number and a unit", () => {
    const lengths = ["90s", "45m", "12h", "30d", "2w"].map((text) => Result.getOrThrow(parseSpan(text)))
    assert.deepStrictEqual(lengths, [90_000, 2_700_000, 43_200_000, 2_592_000_000, 1_209_600_000])
  })

  it("refuses the rest", () => {
    for (const text of ["", "30", "d", "-3d", "1.5h", "3mo", "1y", "30 d", "30D", "1d12h", "١d"]) {
      assert.match(refusal(parseSpan(text)), /write a whole number and s, m \(minutes\), h, d or w/, text)
    }
    assert.match(refusal(parseSpan("0d")), /more than zero/)
    assert.match(refusal(parseSpan("99999999999999999999w")), /longer than the calendar/)
  })
})

describe("formatInstant", () => {
  it("prints local time with its offset, through both changes of a year", () => {
    const newYork = zone("America/New_York")
    const cases: ReadonlyArray<readonly [instant: string, text: string]> = [
      ["2019-01-02T14:30:00Z", "2019-01-02T09:30:00.000-05:00"],
      ["2019-03-10T06:59:59.999Z", "2019-03-10T01:59:59.999-05:00"],
      ["2019-03-10T07:00:00Z", "2019-03-10T03:00:00.000-04:00"],
      ["2019-11-03T05:30:00Z", "2019-11-03T01:30:00.000-04:00"],
      ["2019-11-03T06:30:00Z", "2019-11-03T01:30:00.000-05:00"]
    ]
    for (const [instant, text] of cases) assert.strictEqual(formatInstant(read(instant), newYork), text)
  })

  it("knows odd zones", () => {
    const at = read("2019-07-01T00:00:00Z")
    assert.strictEqual(formatInstant(at, utc), "2019-07-01T00:00:00.000Z")
    assert.strictEqual(formatInstant(at, zone("UTC")), "2019-07-01T00:00:00.000Z")
    assert.strictEqual(formatInstant(at, zone("Europe/London")), "2019-07-01T01:00:00.000+01:00")
    assert.strictEqual(formatInstant(at, zone("Asia/Kathmandu")), "2019-07-01T05:45:00.000+05:45")
    assert.strictEqual(formatInstant(at, zone("Australia/Lord_Howe")), "2019-07-01T10:30:00.000+10:30")
    assert.strictEqual(formatInstant(at, zone("+05:30")), "2019-07-01T05:30:00.000+05:30")
    // St. John's moved its clocks at 00:01 local time, which is inside an hour of UTC.
    const newfoundland = zone("America/St_Johns")
    assert.strictEqual(formatInstant(read("2006-04-02T03:30:59Z"), newfoundland), "2006-04-02T00:00:59.000-03:30")
    assert.strictEqual(formatInstant(read("2006-04-02T03:31:00Z"), newfoundland), "2006-04-02T01:01:00.000-02:30")
  })

  it("refuses a zone that does not exist", () => {
    for (const id of ["", "Mars/Olympus", "EST5EDT4", "America"]) {
      assert.match(refusal(parseZone(id)), /not a time zone; write a name such as America\/New_York/, id)
    }
  })

  const zones = ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Africa/Monrovia", "Pacific/Apia", "UTC"].map(
    zone
  )
  it("gives the same instant back from any zone, local mean times included", () => {
    const instants = fc.integer({ min: read("0002-01-01"), max: read("9999-01-01") })
    fc.assert(
      fc.property(fc.constantFrom(...zones), instants, (where, at) => read(formatInstant(at, where)) === at),
      { numRuns: 3_000 }
    )
  })

  it("remembers an offset only as long as it holds", () => {
    const near = fc.integer({ min: read("2006-04-02T00:00:00Z"), max: read("2006-04-02T06:00:00Z") })
    const shared = zone("America/St_Johns")
    fc.assert(
      fc.property(near, (at) => shared.offsetAt(at) === zone("America/St_Johns").offsetAt(at)),
      { numRuns: 300 }
    )
  })
})
