import { assert, describe, it } from "@effect/vitest"
import { easter } from "../../../src/domain/calendar/dates.ts"
import { chingMing, lunarFestivals } from "../../../src/domain/calendar/exchanges/lunar.ts"

const iso = (date: number): string => new Date(date).toISOString().slice(0, 10)

const chinese = new Intl.DateTimeFormat("en-u-ca-chinese", { timeZone: "UTC", month: "numeric", day: "numeric" })

/** `8/15`; a leap month has other letters in it. */
const lunarDate = (date: number): string => chinese.format(date)

describe("the lunar festivals of Hong Kong", () => {
  it("are what ICU's Chinese calendar makes of them, but for the new year of 2027", () => {
    const others: Array<string> = []
    for (let year = 1990; year <= 2028; year++) {
      const festivals = lunarFestivals(year)
      assert.isNotNull(festivals)
      if (festivals === null) continue
      for (const [date, expected] of [
        [festivals.newYear, "1/1"],
        [festivals.buddha, "4/8"],
        [festivals.tuenNg, "5/5"],
        [festivals.midAutumn, "8/15"],
        [festivals.chungYeung, "9/9"]
      ] as const) {
        if (lunarDate(date) !== expected) others.push(`${iso(date)} is ${lunarDate(date)}`)
      }
    }
    // The moon is new on February 6 at 23:56 in Beijing: the almanac begins the year on that day, ICU on the next.
    assert.deepStrictEqual(others, ["2027-02-06 is 12/30"])
  })

  it("end with the calendar", () => {
    assert.isNull(lunarFestivals(1989))
    assert.isNull(lunarFestivals(2029))
  })

  it("has Ching Ming on April 4 or 5", () => {
    const dates = [1990, 1992, 1996, 2008, 2009, 2010, 2024, 2025, 2026, 2028].map((year) => iso(chingMing(year)))
    assert.deepStrictEqual(
      dates,
      [
        "1990-04-05",
        "1992-04-04",
        "1996-04-04",
        "2008-04-04",
        "2009-04-04",
        "2010-04-05",
        "2024-04-04",
        "2025-04-04"
      ].concat(["2026-04-05", "2028-04-04"])
    )
  })
})

describe("Easter", () => {
  it("is on the earliest and the latest date that it can be on", () => {
    assert.deepStrictEqual([1818, 1943, 2008, 2024, 2038, 2285].map(easter).map(iso), [
      "1818-03-22",
      "1943-04-25",
      "2008-03-23",
      "2024-03-31",
      "2038-04-25",
      "2285-03-22"
    ])
  })
})
