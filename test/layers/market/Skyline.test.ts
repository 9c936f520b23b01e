import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import type { Answer } from "../../../src/layers/market/GenerationTables.ts"
import { compare } from "../../../src/layers/market/KnowledgeKey.ts"
import { Skyline } from "../../../src/layers/market/Skyline.ts"

const randomAnswers = fc
  .array(
    fc.record({ start: fc.integer({ min: 0, max: 40 }), length: fc.integer({ min: 1, max: 15 }), at: fc.nat(5) }),
    { maxLength: 30 }
  )
  .map((drafts) =>
    drafts
      .map(
        ({ at, length, start }, index): Answer => ({
          start,
          end: start + length,
          code: 1,
          until: null,
          fetchedAt: at,
          response: index + 1,
          decoderVersion: 1
        })
      )
      .sort((a, b) => a.start - b.start)
  )

const all = (answers: ReadonlyArray<Answer>, limit: number): ReadonlyArray<Answer> => {
  const skyline = new Skyline(answers)
  const pieces: Array<Answer> = []
  for (;;) {
    const next = skyline.next(limit)
    if (next.length === 0) return pieces
    pieces.push(...next)
  }
}

describe("Skyline", () => {
  it("gives the newest answer at each instant, in pieces as long as they can be, whatever the page size", () => {
    fc.assert(
      fc.property(randomAnswers, fc.integer({ min: 1, max: 7 }), (answers, limit) => {
        const pieces = all(answers, limit)
        for (let instant = 0; instant < 60; instant++) {
          const open = answers.filter(({ end, start }) => start <= instant && instant < end)
          const newest = open.toSorted(compare).at(-1)
          const found = pieces.filter(({ end, start }) => start <= instant && instant < end)
          assert.deepStrictEqual(
            found.map(({ response }) => response),
            newest === undefined ? [] : [newest.response]
          )
        }
        for (const [index, piece] of pieces.entries()) {
          assert.isBelow(piece.start, piece.end)
          const next = pieces[index + 1]
          if (next === undefined) continue
          assert.isTrue(piece.end < next.start || (piece.end === next.start && piece.response !== next.response))
        }
      })
    )
  })
})
