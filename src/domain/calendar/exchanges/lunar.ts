import type { EpochMillis } from "../../TimeRange.ts"
import { dateOf } from "../dates.ts"

/** Festivals of the Chinese lunar year that fall in a Gregorian year, as dates at 00:00Z. */
export interface LunarFestivals {
  /** The first day of the first month. */
  readonly newYear: EpochMillis
  /** The 8th of the 4th month. */
  readonly buddha: EpochMillis
  /** The 5th of the 5th month. */
  readonly tuenNg: EpochMillis
  /** The 15th of the 8th month. */
  readonly midAutumn: EpochMillis
  /** The 9th of the 9th month. */
  readonly chungYeung: EpochMillis
}

const first = 1990

/**
 * Month and day (`127` is January 27) of new year, Buddha's birthday, Tuen Ng, Mid-Autumn and Chung Yeung, a year a row from 1990.
 * A table and no algorithm: the months begin with the new moon over Beijing, which is a question of minutes in some years, and what
 * counts is what the almanac of Hong Kong says. (The Chinese calendar of ICU, for one, begins 2027 a day late.)
 */
const table: ReadonlyArray<readonly [number, number, number, number, number]> = [
  [127, 502, 528, 1003, 1026],
  [215, 521, 616, 922, 1016],
  [204, 510, 605, 911, 1004],
  [123, 528, 624, 930, 1023],
  [210, 518, 613, 920, 1013],
  [131, 507, 602, 909, 1101],
  [219, 524, 620, 927, 1020],
  [207, 514, 609, 916, 1010],
  [128, 503, 530, 1005, 1028],
  [216, 522, 618, 924, 1017],
  [205, 511, 606, 912, 1006],
  [124, 430, 625, 1001, 1025],
  [212, 519, 615, 921, 1014],
  [201, 508, 604, 911, 1004],
  [122, 526, 622, 928, 1022],
  [209, 515, 611, 918, 1011],
  [129, 505, 531, 1006, 1030],
  [218, 524, 619, 925, 1019],
  [207, 512, 608, 914, 1007],
  [126, 502, 528, 1003, 1026],
  [214, 521, 616, 922, 1016],
  [203, 510, 606, 912, 1005],
  [123, 428, 623, 930, 1023],
  [210, 517, 612, 919, 1013],
  [131, 506, 602, 908, 1002],
  [219, 525, 620, 927, 1021],
  [208, 514, 609, 915, 1009],
  [128, 503, 530, 1004, 1028],
  [216, 522, 618, 924, 1017],
  [205, 512, 607, 913, 1007],
  [125, 430, 625, 1001, 1025],
  [212, 519, 614, 921, 1014],
  [201, 508, 603, 910, 1004],
  [122, 526, 622, 929, 1023],
  [210, 515, 610, 917, 1011],
  [129, 505, 531, 1006, 1029],
  [217, 524, 619, 925, 1018],
  [206, 513, 609, 915, 1008],
  [126, 502, 528, 1003, 1026]
]

/** The festivals of a year; null where the table ends. */
export const lunarFestivals = (year: number): LunarFestivals | null => {
  const row = table[year - first]
  if (row === undefined) return null
  const [newYear, buddha, tuenNg, midAutumn, chungYeung] = row
  const date = (monthDay: number) => dateOf(year, Math.floor(monthDay / 100), monthDay % 100)
  return {
    newYear: date(newYear),
    buddha: date(buddha),
    tuenNg: date(tuenNg),
    midAutumn: date(midAutumn),
    chungYeung: date(chungYeung)
  }
}

/** Ching Ming, the day on which the sun reaches 15 degrees: April 4 or 5. Good for 1990 to 2099. */
export const chingMing = (year: number): EpochMillis => {
  const inCentury = year % 100
  const drift = year < 2000 ? 5.59 : 4.81
  return dateOf(year, 4, Math.floor(inCentury * 0.2422 + drift) - Math.floor(inCentury / 4))
}
