/** Records to bytes of an export and back, in every format; what is not exactly as it was written is not read. */
import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import fc from "fast-check"
import { ResponseId } from "../../../src/domain/Response.ts"
import { type AnyRecord, RecordKind } from "../../../src/domain/records/RecordKind.ts"
import { recordBytes, recordsHeader } from "../../../src/domain/records/recordBytes.ts"
import { blockSums } from "../../../src/layers/export/blockSums.ts"
import { damageOf } from "../../../src/layers/export/damageOf.ts"
import type { ExportedRow } from "../../../src/layers/export/RowCodec.ts"
import { recordRows } from "../../../src/layers/export/recordRows.ts"
import { recordOfKind } from "../../services/records/arbitraries.ts"
import { recordSeries, samples } from "../../services/records/commits.ts"
import { formats } from "./support.ts"

const exported = (kind: RecordKind): fc.Arbitrary<ExportedRow<AnyRecord>> =>
  fc.record({
    row: recordOfKind(kind),
    lineage: fc.record({
      response: fc.integer({ min: 1 }).map((id) => ResponseId.make(id)),
      position: fc.maxSafeNat(),
      decoderVersion: fc.constant(1),
      recordedAt: fc.constant(0)
    })
  })

describe("X10, 76 records of exports", () => {
  for (const format of formats) {
    it.effect(`${format}: what is written is what is read, of every kind, with lineage and without`, () =>
      Effect.gen(function* () {
        for (const kind of RecordKind.literals) {
          for (const lineage of [false, true]) {
            const codec = yield* recordRows(recordSeries(kind)).codec(format, lineage)
            const blocks = fc.array(exported(kind), { minLength: 1, maxLength: 12 })
            const property = fc.property(blocks, (rows) => {
              const read = Result.getOrThrow(Result.mapError(codec.decode(codec.encode(rows)), ({ what }) => what))
              assert.deepStrictEqual(
                read,
                rows.map(({ lineage: from, row }) => ({
                  row,
                  response: lineage ? from.response : null,
                  position: lineage ? from.position : null
                })),
                kind
              )
            })
            fc.assert(property, { numRuns: 20 })
          }
        }
      })
    )

    it.effect(`${format}: no other bytes are taken for a row, and the byte that was changed is named`, () =>
      Effect.gen(function* () {
        for (const kind of RecordKind.literals) {
          const codec = yield* recordRows(recordSeries(kind)).codec(format, true)
          const whole = fc.tuple(
            fc.array(exported(kind), { minLength: 1, maxLength: 6 }),
            fc.nat(),
            fc.integer({ min: 1, max: 255 })
          )
          const property = fc.property(whole, ([rows, place, change]) => {
            const block = codec.encode(rows)
            const damaged = Uint8Array.from(block)
            const at = place % block.length
            damaged[at] = (damaged[at] ?? 0) ^ change
            const before = JSON.stringify(asRead(codec.decode(block)))
            assert.notStrictEqual(JSON.stringify(asRead(codec.decode(damaged))), before, kind)
            const spec = { rows: rows.length, bytes: block.length, ...blockSums(block) }
            const damage = damageOf(codec, damaged, spec, { row: 0, byte: 0 })
            assert.strictEqual(damage.byte, at, damage.message)
          })
          fc.assert(property, { numRuns: 20 })
        }
      })
    )
  }

  it("the hash over rows is that of the bytes that its comment describes", () => {
    const [full, sparse] = samples.signal
    const text = (tag: number, value: string) => {
      const bytes = Buffer.from(value)
      const head = Buffer.alloc(5)
      head.writeUInt8(tag)
      head.writeUInt32LE(bytes.length, 1)
      return Buffer.concat([head, bytes])
    }
    const number = (value: number) => {
      const bytes = Buffer.alloc(9)
      bytes.writeUInt8(1)
      bytes.writeDoubleLE(value, 1)
      return bytes
    }
    const stamp = (ts: number) => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(BigInt(ts))
      return bytes
    }
    const expected = Buffer.concat([
      Buffer.from("tapestry.records.v1\n"),
      ...[stamp(10), text(2, "momentum"), number(1.5), number(0.9), text(3, '{"model":"m1","window":[5,20]}')],
      ...[stamp(10), text(2, "carry"), number(-1), Buffer.from([0]), Buffer.from([0])]
    ])
    const made = createHash("sha256")
      .update(recordsHeader)
      .update(recordBytes("signal", [full, sparse]))
    assert.strictEqual(made.digest("hex"), createHash("sha256").update(expected).digest("hex"))
    const long = { ...full, name: "ü".repeat(5_000) }
    const parts = Buffer.concat([recordBytes("signal", [full]), recordBytes("signal", [long])])
    assert.isTrue(parts.equals(recordBytes("signal", [full, long])))
  })
})

const asRead = (read: Result.Result<ReadonlyArray<unknown>, { readonly what: string }>): unknown =>
  Result.isSuccess(read)
    ? read.success.map((row) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}n` : value)))
    : read.failure.what
