/** Rows to bytes and back in every format; Arrow also by a reader of the format's own letter, and by another library where there is one. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import fc from "fast-check"
import type { Bar } from "../../../src/domain/Bar.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import { codecOf } from "../../../src/layers/export/codecOf.ts"
import type { ExportedRow } from "../../../src/layers/export/RowCodec.ts"
import { hour } from "../stitching/support.ts"
import { readArrowFile } from "./arrowFile.ts"
import { answerOf, day, formats, over, scratch, write } from "./support.ts"

// -0 is written as 0 in every format.
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
const nullable = fc.option(finite, { nil: null })
const stored: fc.Arbitrary<ExportedRow<Bar>> = fc.record({
  row: fc.record({
    ts: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
    open: finite,
    high: finite,
    low: finite,
    close: finite,
    volume: nullable,
    vwap: nullable,
    count: nullable
  }),
  lineage: fc.record({
    response: fc.integer({ min: 1 }).map((id) => ResponseId.make(id)),
    position: fc.maxSafeNat(),
    decoderVersion: fc.constant(1),
    recordedAt: fc.constant(0)
  })
})
const blocks = fc.array(fc.array(stored, { minLength: 1, maxLength: 40 }), { maxLength: 4 })

const valuesOf = ({ lineage, row: bar }: ExportedRow<Bar>, withLineage: boolean) => [
  ...[bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.count],
  ...(withLineage ? [lineage.response, lineage.position] : [])
]

const columns = (withLineage: boolean) => [
  { name: "ts", nullable: false, type: "timestamp[ms, UTC]" },
  ...["open", "high", "low", "close"].map((name) => ({ name, nullable: false, type: "float64" })),
  ...["volume", "vwap", "count"].map((name) => ({ name, nullable: true, type: "float64" })),
  ...(withLineage ? ["response", "position"].map((name) => ({ name, nullable: false, type: "int64" })) : [])
]

describe("X10 rows of exports", () => {
  for (const format of formats) {
    for (const lineage of [false, true]) {
      it.effect(`${format}${lineage ? " with lineage" : ""}: what is written is what is read`, () =>
        Effect.gen(function* () {
          const codec = yield* codecOf(format, lineage, "v1/a")
          fc.assert(
            fc.property(blocks, (written) => {
              for (const rows of written) {
                const read = Result.getOrThrow(Result.mapError(codec.decode(codec.encode(rows)), ({ what }) => what))
                assert.deepStrictEqual(
                  read,
                  rows.map(({ row, lineage: from }) => ({
                    row,
                    response: lineage ? from.response : null,
                    position: lineage ? from.position : null
                  }))
                )
              }
            }),
            { numRuns: 60 }
          )
        })
      )
    }
  }

  for (const lineage of [false, true]) {
    it.effect(
      `an Arrow file${lineage ? " with lineage" : ""} is one by the letter of the format, with types, nulls and rows`,
      () =>
        Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(blocks, async (written) => {
              const codec = await Effect.runPromise(codecOf("arrow", lineage, "v1/a"))
              const file = readArrowFile(Buffer.concat([codec.head, ...written.map(codec.encode), codec.tail()]))
              assert.deepStrictEqual(file.columns, columns(lineage))
              assert.deepStrictEqual(file.metadata, { "tapestry.series": "v1/a" })
              assert.deepStrictEqual(
                file.batches,
                written.map((rows) => rows.map((row) => valuesOf(row, lineage)))
              )
            }),
            { numRuns: 60 }
          )
        )
    )
  }

  it.effect("an export opens in pyarrow, or in Polars for Python, with the right types and rows", () =>
    over(
      Effect.gen(function* () {
        const directory = join(scratch(), "out")
        const range = { start: day.start - 24 * hour * 5, end: day.end }
        const manifest = yield* write({
          answers: [yield* answerOf("ALPHA", range, "1m")],
          directory,
          format: "arrow",
          lineage: true
        })
        const file = join(directory, "ALPHA-1m.arrow")
        const rows = readArrowFile(readFileSync(file)).batches.flat()
        assert.strictEqual(rows.length, manifest.series[0]?.file.rows)
        const python = spawnSync("python3", ["-c", script, file], { encoding: "utf8" })
        if (python.status === 77 || python.error !== undefined) {
          return console.log("skipped: neither pyarrow nor Polars is there to read an Arrow export with")
        }
        assert.strictEqual(python.status, 0, python.stderr)
        assert.deepStrictEqual(JSON.parse(python.stdout), {
          types: ["timestamp[ms, UTC]", ...Array.from({ length: 7 }, () => "float64"), "int64", "int64"],
          rows: rows.length,
          sum: rows.reduce((sum, row) => sum + (row[4] ?? 0), 0),
          first: rows[0]?.slice(0, 8)
        })
      })
    )
  )
})

const script = `
import json, sys
try:
    import pyarrow as pa
    table = pa.ipc.open_file(sys.argv[1]).read_all()
    names = {"timestamp[ms, tz=UTC]": "timestamp[ms, UTC]", "double": "float64"}
    types = [names.get(str(field.type), str(field.type)) for field in table.schema]
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
except ImportError:
    try:
        import polars as pl
    except ImportError:
        sys.exit(77)
    frame = pl.read_ipc(sys.argv[1], memory_map=False)
    names = {"Datetime(time_unit='ms', time_zone='UTC')": "timestamp[ms, UTC]", "Float64": "float64", "Int64": "int64"}
    types = [names.get(str(kind), str(kind)) for kind in frame.dtypes]
    columns = frame.to_dict(as_series=False)
total = 0.0
for close in columns["close"]:
    total += close
first = [columns[name][0] for name in ["open", "high", "low", "close", "volume", "vwap", "count"]]
ts = round(columns["ts"][0].timestamp() * 1000)
print(json.dumps({"types": types, "rows": len(columns["close"]), "sum": total, "first": [ts, *first]}))
`
