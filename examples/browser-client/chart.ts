import type { Bar } from "tapestry/contract"

const width = 900
const height = 360
const margin = { left: 64, right: 40, top: 16, bottom: 36 }

/** Round numbers between two values, about `count` of them. */
const ticks = (low: number, high: number, count: number): ReadonlyArray<number> => {
  const rough = (high - low) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const first = Math.ceil(low / step)
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step)
}

/** Bars as an SVG text: a line from low to high, the close as a dot, dates and prices on the axes. */
export const chart = (bars: ReadonlyArray<Bar.Bar>, unit: string): string => {
  const [first, last] = [bars[0], bars.at(-1)]
  if (first === undefined || last === undefined) return "<p>no bars</p>"
  const low = bars.reduce((least, bar) => Math.min(least, bar.low), Infinity)
  const high = bars.reduce((most, bar) => Math.max(most, bar.high), -Infinity)
  const room = { x: width - margin.left - margin.right, y: height - margin.top - margin.bottom }
  const x = (ts: number) => margin.left + ((ts - first.ts) / Math.max(1, last.ts - first.ts)) * room.x
  const y = (price: number) => margin.top + ((high - price) / Math.max(1e-9, high - low)) * room.y
  const months = Array.from({ length: 7 }, (_, index) => first.ts + ((last.ts - first.ts) * index) / 6)

  const prices = ticks(low, high, 10).map(
    (price) =>
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(price)}" y2="${y(price)}" stroke="#e4e4e4"/>` +
      `<text x="${margin.left - 8}" y="${y(price) + 4}" text-anchor="end">${price}</text>`
  )
  const dates = months.map(
    (ts) =>
      `<text x="${x(ts)}" y="${height - margin.bottom + 18}" text-anchor="middle">${new Date(ts).toISOString().slice(0, 10)}</text>`
  )
  const rows = bars.map(
    (bar) =>
      `<path d="M${x(bar.ts).toFixed(1)} ${y(bar.low).toFixed(1)}V${y(bar.high).toFixed(1)}" stroke="${bar.close >= bar.open ? "#2a7f62" : "#b3423a"}" data-ts="${bar.ts}"/>` +
      `<circle cx="${x(bar.ts).toFixed(1)}" cy="${y(bar.close).toFixed(1)}" r="1.2" fill="#333"/>`
  )
  return `<svg viewBox="0 0 ${width} ${height}" font-size="11" role="img">${prices.join("")}${dates.join("")}${rows.join("")}<text x="${margin.left}" y="${height - 4}">opening date, UTC</text><text transform="translate(14 ${height / 2}) rotate(-90)" text-anchor="middle">${unit}</text></svg>`
}
