import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { CoverageInterval } from "../../../src/domain/Coverage.ts"
import { utc } from "../../../src/domain/Instant.ts"
import type { Plan } from "../../../src/domain/Plan.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import { csvRows, ndjsonRows } from "../../../src/layers/export/BarsText.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { barsTable } from "../../../src/programs/format/BarsTable.ts"
import { coverageTable } from "../../../src/programs/format/CoverageTable.ts"
import { coverageDocument } from "../../../src/programs/format/Documents.ts"
import { bytes, counted, decimal, duration, grouped } from "../../../src/programs/format/Numbers.ts"
import { planTable } from "../../../src/programs/format/PlanLines.ts"
import { holesOf, keptLines } from "../../../src/programs/format/RangeLines.ts"
import { redacted } from "../../../src/programs/format/redacted.ts"
import { legend, strip } from "../../../src/programs/format/Strip.ts"
import { render } from "../../../src/programs/format/Table.ts"
import { displayWidth } from "../../../src/programs/format/Width.ts"
import { windowed } from "../../../src/programs/format/windowed.ts"
import { wrap } from "../../../src/programs/format/wrap.ts"
import { brief, moment } from "../../../src/programs/format/ZonedTime.ts"
import { progressLine } from "../../../src/programs/terminal/Progress.ts"
import { oneLine, styleOf } from "../../../src/programs/terminal/Style.ts"

describe("numbers", () => {
  it("a decimal has no exponent and reads back as the same number", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = decimal(value)
        assert.match(text, /^-?\d+(\.\d+)?$/)
        assert.isTrue(Number(text) === value)
      })
    )
    assert.strictEqual(decimal(1e-7), "0.0000001")
    assert.strictEqual(decimal(1.5e21), "1500000000000000000000")
  })

  it("groups thousands before the point only", () => {
    for (const [value, text] of [
      [0, "0"],
      [999, "999"],
      [1000, "1,000"],
      [-1000, "-1,000"],
      [-100, "-100"],
      [1234567.12345, "1,234,567.12345"]
    ] as const) {
      assert.strictEqual(grouped(value), text)
    }
    assert.strictEqual(counted(1, "row"), "1 row")
    assert.strictEqual(counted(4985, "row"), "4,985 rows")
  })

  it("bytes and lengths of time", () => {
    assert.deepStrictEqual([0, 512, 1536, 415968, 5 * 1024 ** 3].map(bytes), [
      "0 B",
      "512 B",
      "1.5 KiB",
      "406.2 KiB",
      "5.0 GiB"
    ])
    assert.deepStrictEqual([0, 3, 1500, 12_000, 125_000, 120_000, 11_400_000, 400_000_000].map(duration), [
      "0 s",
      "0.1 s",
      "1.5 s",
      "12 s",
      "2 min 5 s",
      "2 min",
      "3 h 10 min",
      "4 d 15 h"
    ])
  })
})

describe("tables", () => {
  it("align text left, counts right and decimal points under each other", () => {
    assert.deepStrictEqual(
      render(
        [
          { header: "name", align: "left" },
          { header: "n", align: "right" },
          { header: "price", align: "decimal" }
        ],
        [
          ["a", "1", "9.5"],
          ["long", "1,000", "1234"],
          ["b", "-", "-"]
        ]
      ),
      ["name      n   price", "a         1     9.5", "long  1,000  1234.0", "b         -     -"]
    )
  })

  it("a fraction of more than six places is not filled with zeros", () => {
    assert.deepStrictEqual(render([{ header: "v", align: "decimal" }], [["0.12345678"], ["2"], ["3.5"]]).slice(1), [
      "0.12345678",
      "2",
      "3.5"
    ])
  })

  it("every line of a table of any text is aligned", () => {
    const cell = fc.string({ unit: "grapheme", maxLength: 8 }).map(oneLine)
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, fc.nat()), { minLength: 1, maxLength: 10 }), (rows) => {
        const lines = render(
          [
            { header: "text", align: "left" },
            { header: "n", align: "right" }
          ],
          rows.map(([text, n]) => [text, String(n)])
        )
        assert.strictEqual(new Set(lines.map(displayWidth)).size, 1)
      })
    )
  })

  const bar = {
    ts: Date.UTC(2024, 0, 2),
    open: 1,
    high: 2,
    low: 0.5,
    close: 1.5,
    volume: null,
    vwap: null,
    count: null
  }

  it("bars show vwap and trades only where there are some, and seconds only where they matter", () => {
    const plain = barsTable("1h", utc)
    plain.measure(bar)
    assert.strictEqual(plain.table().header, "time (UTC)        open  high  low  close  volume")
    assert.strictEqual(plain.table().row(bar), "2024-01-02 00:00     1     2  0.5    1.5       -")
    const rich = barsTable("1h", utc)
    const other = { ...bar, ts: bar.ts + 1500, vwap: 1.25, count: 1200 }
    rich.measure(bar)
    rich.measure(other)
    assert.match(rich.table().header, /volume {2}vwap {2}trades$/)
    assert.match(rich.table().row(other), /^2024-01-02 00:00:01\.500 .*1\.25 {3}1,200$/)
  })

  it("csv and ndjson keep every digit, and a missing volume is empty or null", () => {
    assert.strictEqual(csvRows([bar]), "2024-01-02T00:00:00.000Z,1,2,0.5,1.5,,,\n")
    assert.strictEqual(
      ndjsonRows([{ ...bar, vwap: 1.1, count: 3 }]),
      '{"ts":"2024-01-02T00:00:00.000Z","open":1,"high":2,"low":0.5,"close":1.5,"volume":null,"vwap":1.1,"count":3}\n'
    )
  })

  it("long ones are cut in the middle", () => {
    const lines = Array.from({ length: 100 }, (_, i) => String(i))
    const cut = windowed(lines, 21, (left) => `(${left})`)
    assert.strictEqual(cut.length, 21)
    assert.deepStrictEqual([cut[0], cut[9], cut[10], cut[11], cut[20]], ["0", "9", "(80 more rows)", "90", "99"])
    assert.deepStrictEqual(windowed(lines, null, String), lines)
    assert.deepStrictEqual(windowed(lines.slice(0, 12), 3, String), lines.slice(0, 12))
  })
})

describe("coverage", () => {
  const response = ResponseId.make(1)
  const covered = (start: number, end: number): CoverageInterval => ({
    start,
    end,
    state: { _tag: "Covered", response }
  })
  const missing = (start: number, end: number): CoverageInterval => ({
    start,
    end,
    state: { _tag: "Missing", cause: null }
  })

  it("each block stands for an equal part, and a hole is never hidden by what is beside it", () => {
    const intervals = [covered(0, 500), missing(500, 501), covered(501, 1000)]
    assert.strictEqual(strip(intervals, { start: 0, end: 1000 }, 10), "█████_████")
    assert.strictEqual(strip([covered(0, 1000)], { start: 0, end: 1000 }, 4), "████")
    assert.strictEqual(strip([covered(0, 3)], { start: 0, end: 3 }, 6), "██████")
    assert.strictEqual(legend(intervals), "_ missing   █ covered")
  })

  it("neighbours of one kind share a line of the table", () => {
    const day = 86_400_000
    const other = { ...covered(day, 2 * day), state: { _tag: "Covered" as const, response: ResponseId.make(2) } }
    assert.deepStrictEqual(coverageTable([covered(0, day), other, missing(2 * day, 3 * day)]).slice(1), [
      "1970-01-01  1970-01-03      covered  2 responses",
      "1970-01-03  1970-01-04      missing  not asked for yet"
    ])
  })

  it("closed time between two of one kind is on their line, in a report and in a plan", () => {
    const day = 86_400_000
    const closed = (start: number): CoverageInterval => ({
      start,
      end: start + day,
      state: { _tag: "Closed", calendar: "XNYS" }
    })
    const parts = [
      closed(0),
      covered(day, 2 * day),
      closed(2 * day),
      covered(3 * day, 4 * day),
      closed(4 * day),
      missing(5 * day, 6 * day),
      closed(6 * day),
      missing(7 * day, 8 * day)
    ]
    assert.deepStrictEqual(coverageTable(parts).slice(1), [
      "1970-01-01  1970-01-02      closed   closed (XNYS)",
      "1970-01-02  1970-01-05      covered  response 1; closed 1 time between",
      "1970-01-05  1970-01-06      closed   closed (XNYS)",
      "1970-01-06  1970-01-09      missing  not asked for yet; closed 1 time between"
    ])
    const vendor = (part: CoverageInterval) => part.state._tag === "Missing" || part.start === day
    const plan: Plan = {
      series: ModelVendor.make().series("ALPHA", "1d"),
      range: { start: 0, end: 8 * day },
      policy: "cacheFirst",
      plannedAt: 0,
      pieces: parts.map((part) => ({
        ...part,
        from: vendor(part) ? ("vendor" as const) : ("store" as const),
        requests: vendor(part) ? 1 : 0
      })),
      requests: [
        { range: { start: day, end: 2 * day }, final: true, notBefore: 0, waits: 0, cost: 0 },
        { range: { start: 5 * day, end: 8 * day }, final: true, notBefore: 0, waits: 0, cost: 0 }
      ],
      waits: 0,
      cost: 0
    }
    assert.deepStrictEqual(
      planTable(plan)
        .slice(1)
        .map((line) => line.slice(12).replaceAll(/ +/g, " ").trim()),
      [
        "1970-01-02 store closed - - -",
        "1970-01-03 model covered, rechecked 1 0 s free",
        "1970-01-04 store closed - - -",
        "1970-01-05 store covered - - -",
        "1970-01-06 store closed - - -",
        "1970-01-09 model missing, closed between 1 0 s free"
      ]
    )
  })
})

describe("what was refused after it was had", () => {
  const refusal = { tag: "NotFound", response: ResponseId.make(9), recordedAt: 0, until: Date.UTC(2024, 0, 9) } as const
  const had = (from: number, to: number, parts: Partial<CoverageInterval> = {}): CoverageInterval => ({
    start: Date.UTC(2024, 0, from),
    end: Date.UTC(2024, 0, to),
    state: { _tag: "Covered", response: ResponseId.make(1) },
    ...parts
  })
  const intervals = [
    had(1, 2),
    had(2, 3, { refusal }),
    had(3, 4, { state: { _tag: "Closed", calendar: "XNYS" } }),
    had(4, 5, { refusal, state: { _tag: "Empty", response: ResponseId.make(2), recheckAfter: 1 } }),
    had(5, 6, { state: { _tag: "Missing", cause: null } })
  ]

  it("is named, and is no hole", () => {
    assert.deepStrictEqual(keptLines(intervals), [
      "kept: 2024-01-02 to 2024-01-05: the vendor does not know it any more (response 9); asked again after 2024-01-09T00:00:00Z"
    ])
    assert.deepStrictEqual(holesOf(intervals), [had(5, 6, { state: { _tag: "Missing", cause: null } })])
  })

  it("has a line of its own in the table of coverage", () => {
    assert.deepStrictEqual(
      coverageTable(intervals)
        .slice(1)
        .map((line) => line.replaceAll(/ +/g, " ").trim()),
      [
        "2024-01-01 2024-01-02 covered response 1",
        "2024-01-02 2024-01-03 covered response 1; not found since then 2024-01-09T00:00:00Z",
        "2024-01-03 2024-01-04 closed closed (XNYS)",
        "2024-01-04 2024-01-05 empty response 2; not found since then 2024-01-09T00:00:00Z",
        "2024-01-05 2024-01-06 missing not asked for yet"
      ]
    )
  })

  it("is in the documents", () => {
    const document: object = coverageDocument(had(2, 3, { refusal }))
    assert.deepStrictEqual(document, {
      start: "2024-01-02T00:00:00.000Z",
      end: "2024-01-03T00:00:00.000Z",
      status: "Covered",
      response: ResponseId.make(1),
      refusal: {
        status: "NotFound",
        response: ResponseId.make(9),
        recordedAt: "1970-01-01T00:00:00.000Z",
        until: "2024-01-09T00:00:00.000Z"
      }
    })
  })
})

describe("text", () => {
  it("what comes from outside is one line without control characters", () => {
    assert.strictEqual(oneLine("a\n  b\u001b[31mred\u0007"), "a b\\x1b[31mred\\x07")
  })

  it("wrapped text keeps its words and its width", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/)), fc.integer({ min: 12, max: 40 }), (words, width) => {
        const lines = wrap(words.join(" "), width)
        assert.strictEqual(lines.join(" "), words.join(" "))
        assert.isTrue(lines.every((line) => line.length <= width))
      })
    )
  })

  it("instants are as long as they must be", () => {
    assert.strictEqual(brief(Date.UTC(2019, 0, 2)), "2019-01-02")
    assert.strictEqual(brief(Date.UTC(2019, 0, 2, 14, 30)), "2019-01-02T14:30Z")
    assert.strictEqual(brief(Date.UTC(2019, 0, 2, 14, 30, 1, 5)), "2019-01-02T14:30:01.005Z")
    assert.strictEqual(moment(Date.UTC(2019, 0, 2, 14, 30, 1, 5)), "2019-01-02T14:30:01Z")
  })

  it("colours only where they are allowed", () => {
    assert.strictEqual(styleOf({ colours: false }).red("x"), "x")
    assert.strictEqual(styleOf({ colours: true }).red("x"), "\u001b[31mx\u001b[39m")
  })

  it("progress says how far, how fast and how long", () => {
    assert.strictEqual(
      progressLine("fetching SPX 1d", "requests", "rows", { done: 3, of: 12, count: 12_000 }, 4000),
      "fetching SPX 1d  3/12 requests  12,000 rows  3,000 rows/s  ETA 12 s"
    )
    assert.strictEqual(
      progressLine("verifying", "payloads", "payloads", { done: 0, of: 0, count: 0 }, 600),
      "verifying  0 payloads"
    )
  })

  it("secrets are not shown, wherever they are", () => {
    assert.deepStrictEqual(
      redacted({ apiKey: "k", name: "n", nested: [{ password: "p", token: null }], url: "https://user:pw@host/x" }),
      {
        apiKey: "<redacted>",
        name: "n",
        nested: [{ password: "<redacted>", token: null }],
        url: "https://<redacted>@host/x"
      }
    )
  })
})
