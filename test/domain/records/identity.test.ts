/** Rows that are not alike are never taken for one another, whatever is in their texts. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type AnyRecord, identityOf, type RecordKind } from "../../../src/domain/records/RecordKind.ts"

/** What parts of an identity are separated by, mostly. */
const text = fc.option(fc.string({ unit: fc.constantFrom("|", "#", "~", "\\", "1", "a"), maxLength: 4 }))
const number = fc.option(fc.integer({ min: 0, max: 2 }))

const kinds: ReadonlyArray<readonly [kind: RecordKind, rows: fc.Arbitrary<AnyRecord>]> = [
  [
    "trade",
    fc.record({
      tsNs: fc.constant(1n),
      price: fc.integer({ min: 0, max: 2 }),
      size: number,
      venue: text,
      sequence: number,
      side: fc.constantFrom<"buy" | "sell" | null>("buy", "sell", null),
      conditions: text
    })
  ],
  [
    "quote",
    fc.record({
      tsNs: fc.constant(1n),
      bid: number,
      bidSize: number,
      ask: number,
      askSize: number,
      venue: text,
      sequence: number,
      conditions: text
    })
  ],
  [
    "statistic",
    fc.record({
      tsNs: fc.constant(1n),
      type: text.map((name) => name ?? ""),
      session: text,
      venue: text,
      sequence: number,
      price: fc.constant(1),
      quantity: fc.constant(null)
    })
  ]
]

/** What tells a row apart; a text that is empty is none. */
const toldBy = (row: AnyRecord): string => {
  const told = { ...row, tsNs: "", ...("venue" in row ? { venue: row.venue ?? "" } : {}) }
  if ("conditions" in row) Object.assign(told, { conditions: row.conditions ?? "" })
  if ("session" in row) Object.assign(told, { session: row.session ?? "" })
  return JSON.stringify(
    "sequence" in row && row.sequence !== null && !("type" in row)
      ? { venue: row.venue ?? "", sequence: row.sequence }
      : told
  )
}

describe("identityOf", () => {
  for (const [kind, rows] of kinds) {
    it(`${kind}: two rows have one identity where they are told by the same, and nowhere else`, () => {
      fc.assert(
        fc.property(fc.array(rows, { minLength: 2, maxLength: 40 }), (given) => {
          const told = new Map<string, string>()
          for (const row of given) {
            const identity = identityOf(kind, row as never)
            const before = told.get(identity)
            assert.isTrue(before === undefined || before === toldBy(row), `${identity}: ${before} and ${toldBy(row)}`)
            told.set(identity, toldBy(row))
          }
          assert.strictEqual(new Set(told.values()).size, told.size)
        }),
        { numRuns: 500 }
      )
    })
  }

  it("a separator in a text is none", () => {
    const trade = { tsNs: 1n, price: 1, size: null, venue: "a|1", sequence: null, side: null, conditions: null }
    assert.notStrictEqual(
      identityOf("trade", trade),
      identityOf("trade", { ...trade, venue: "a", size: 1, conditions: "|" })
    )
    const quote = {
      tsNs: 1n,
      bid: 1,
      bidSize: null,
      ask: null,
      askSize: null,
      venue: "a|1",
      sequence: null,
      conditions: ""
    }
    assert.notStrictEqual(
      identityOf("quote", quote),
      identityOf("quote", { ...quote, venue: "a", bidSize: 1, conditions: "|" })
    )
  })

  it("a row alike in everything is numbered by what no identity ends with", () => {
    const trade = { tsNs: 1n, price: 1, size: null, venue: null, sequence: null, side: null, conditions: "~1" }
    assert.strictEqual(identityOf("trade", trade), "|1|||\\~1")
  })
})
