/** Whatever the contract allows arrives as it was sent, in both encodings: payloads, answers, chunks, and errors as their classes. */
import { isDeepStrictEqual } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Exit, Schema } from "effect"
import { Rpc, RpcSchema } from "effect/rpc"
import { BorderError } from "../../../src/rpc/contract/Border.ts"
import { TapestryRpcs } from "../../../src/rpc/contract/TapestryRpcs.ts"
import { errorInstances } from "../errorInstances.ts"
import { errorSchemas, procedures } from "./errorPaths.ts"
import { binary, described, json } from "./wire.ts"

/** Ranges that end before they begin are drawn again. */
const runs = { arbitrary: { runs: 40, maxDiscards: 20_000 } } as const

/**
 * V8 13.6 reads a key of one character that JSON escapes wrongly once it has seen "\\" at that place: JSON.parse of {"p":0,"\\":0} and
 * then of {"p":0,"\n":0} gives the keys p and "\\" both times.
 */
const isMisread = (key: string): boolean => key.length === 1 && JSON.stringify(key).length > 3

/** Two keys of lone surrogates are one key in UTF-8, and refused by the binary encoding. */
const hasUsableKeys = (value: unknown): boolean =>
  typeof value !== "object" ||
  value === null ||
  Object.entries(value).every(([key, field]) => key.isWellFormed() && !isMisread(key) && hasUsableKeys(field))

for (const wire of [json, binary]) {
  const arrives = (schema: Schema.Top) => (value: unknown) => {
    if (!hasUsableKeys(value)) return true
    const arrived = wire.back(schema, wire.there(schema, value))
    return isDeepStrictEqual(described(arrived), described(value))
  }

  describe(`round trip (${wire.name})`, () => {
    for (const rpc of procedures) {
      const success = RpcSchema.isStreamSchema(rpc.successSchema)
        ? Schema.NonEmptyArray(rpc.successSchema.success)
        : rpc.successSchema
      const error = Schema.Union(errorSchemas(rpc))
      it.prop(`${rpc._tag}: payload`, [rpc.payloadSchema], ([value]) => arrives(rpc.payloadSchema)(value), runs)
      it.prop(`${rpc._tag}: success`, [success], ([value]) => arrives(success)(value), runs)
      it.prop(`${rpc._tag}: error`, [error], ([value]) => arrives(error)(value), runs)
    }
  })
}

describe("a refusal by the border", () => {
  // The border refuses before it knows what a procedure can fail with, so it encodes its errors by themselves.
  const alone = Schema.Exit(Schema.Never, BorderError, Schema.Defect())
  const refusals = [...errorInstances.values()].filter(Schema.is(BorderError))

  for (const wire of [json, binary]) {
    it(`is read with the exit of any procedure (${wire.name})`, () => {
      assert.strictEqual(refusals.length, 8)
      for (const rpc of TapestryRpcs.requests.values()) {
        for (const error of refusals) {
          const exit = wire.back(Rpc.exitSchema(rpc), wire.there(alone, Exit.fail(error)))
          assert.isTrue(Exit.isExit(exit) && Exit.isFailure(exit))
          if (!Exit.isExit(exit) || !Exit.isFailure(exit)) return
          assert.deepStrictEqual(described(Cause.squash(exit.cause)), described(error), rpc._tag)
        }
      }
    })
  }
})
