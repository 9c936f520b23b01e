import type { Bar } from "../../domain/Bar.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"

/**
 * True where a corporate action changes the values of the past: then rows that were had before it and after it do not fit
 * together. It follows from the key, so a vendor whose "raw" prices are rebased offers them as adjusted for splits.
 */
export const isAdjusted = ({ adjustment }: SeriesKey): boolean => adjustment !== "raw"

/**
 * Two prices this close, relative to the greater, are one: vendors that compute adjusted prices anew for each answer do so in
 * floats of 24 bits and multiply a few of them, which wobbles by up to 1e-6; the least dividend that anybody pays is a tenth of
 * a thousandth of the price, and moves the past by 1e-4.
 */
const samePriceWithin = 1e-5

const samePrice = (a: number, b: number): boolean =>
  Math.abs(a - b) <= samePriceWithin * Math.max(Math.abs(a), Math.abs(b))

/**
 * Whether two values of one stamp are of the same basis. Volumes have no say: they are corrected late by vendors whose prices
 * stay, and a split that moves them moves the prices too.
 */
export const sameBasis = (a: Bar, b: Bar): boolean =>
  samePrice(a.close, b.close) && samePrice(a.open, b.open) && samePrice(a.high, b.high) && samePrice(a.low, b.low)
