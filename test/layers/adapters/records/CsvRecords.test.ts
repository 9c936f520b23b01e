import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { CsvRecords } from "../../../../src/layers/adapters/records/CsvRecords.ts"

interface Read {
  readonly line: number
  readonly fields: ReadonlyArray<string>
  readonly problem: string | null
}

const readAll = (text: string, delimiter = ","): ReadonlyArray<Read> => {
  const records = new CsvRecords(new TextEncoder().encode(text), delimiter)
  const rows: Array<Read> = []
  while (records.next()) {
    rows.push({
      line: records.position,
      fields: Array.from({ length: records.fields }, (_, field) => records.text(field)),
      problem: records.problem
    })
  }
  return rows
}

const fieldsOf = (text: string, delimiter?: string) => readAll(text, delimiter).map((row) => row.fields)

const field = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "1", ",", ";", '"', "\n", " ", "é", "."), maxLength: 8 }),
  fc.constantFrom("", "12.5", "2019-01-02")
)

describe("CsvRecords", () => {
  it("reads back any table, whatever is in its fields, with LF and CRLF, and knows the line of each row", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 2, maxLength: 20 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        fc.boolean(),
        (table, end, last, always) => {
          const written = table.map((row) =>
            row.map((cell) => (always || /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")
          )
          const rows = readAll(written.join(end) + (last ? end : ""))
          assert.deepStrictEqual(
            rows.map((row) => row.fields),
            table
          )
          let line = 1
          for (const [index, row] of rows.entries()) {
            assert.strictEqual(row.line, line)
            assert.isNull(row.problem)
            line += 1 + (written[index]?.split("\n").length ?? 1) - 1
          }
        }
      ),
      { numRuns: 1500 }
    )
  })

  it("passes over blank lines and counts them", () => {
    assert.deepStrictEqual(
      readAll("\n\na,b\r\n\r\n\nc,d").map(({ fields, line }) => [line, ...fields]),
      [
        [3, "a", "b"],
        [6, "c", "d"]
      ]
    )
  })

  it("has no rows in an empty text", () => {
    assert.deepStrictEqual(readAll(""), [])
    assert.deepStrictEqual(readAll("\n\r\n"), [])
  })

  it("keeps empty fields at both ends", () => {
    assert.deepStrictEqual(fieldsOf(",a,\n,,"), [
      ["", "a", ""],
      ["", "", ""]
    ])
  })

  it("takes other delimiters, and a quote inside an unquoted field as it is", () => {
    assert.deepStrictEqual(fieldsOf("a;b,c;d", ";"), [["a", "b,c", "d"]])
    assert.deepStrictEqual(fieldsOf('a\t5" nail', "\t"), [["a", '5" nail']])
  })

  it("names a quoted field that never ends by the line it begins on, and stops there", () => {
    const rows = readAll('a,b\nc,"d\ne,f\n')
    assert.strictEqual(rows.length, 2)
    assert.strictEqual(rows[1]?.line, 2)
    assert.match(rows[1]?.problem ?? "", /never ends/)
  })

  it("names text behind a closing quote and goes on with the next row", () => {
    const rows = readAll('"a"x,b\nc,d\n')
    assert.match(rows[0]?.problem ?? "", /behind the closing quote of field 1/)
    assert.deepStrictEqual(rows[1], { line: 2, fields: ["c", "d"], problem: null })
  })

  it("gives the row as text for reject files", () => {
    const records = new CsvRecords(new TextEncoder().encode("a,b\r\nc,d"), ",")
    records.next()
    assert.strictEqual(records.excerpt(), "a,b")
  })
})
