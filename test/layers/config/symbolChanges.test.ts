import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { resolveSymbolChanges, type SymbolChangeSpec } from "../../../src/layers/config/symbolChanges.ts"

const resolve = (...specs: ReadonlyArray<SymbolChangeSpec>) => resolveSymbolChanges(specs, ["mine", "theirs"])
const problems = (...specs: ReadonlyArray<SymbolChangeSpec>) => {
  const resolved = resolve(...specs)
  return Result.isFailure(resolved) ? resolved.failure.map(({ path, remedy }) => `${path.join(".")}: ${remedy}`) : []
}
const fb = { from: "FB", to: "META", on: "2022-06-09" }

describe("aliases of tapestry.yaml", () => {
  it("takes chains, symbols taken back, and symbols reused with a date", () => {
    assert.deepStrictEqual(problems(fb), [])
    assert.deepStrictEqual(problems({ ...fb, vendors: ["mine"] }, { ...fb, on: "2022-06-10", vendors: ["theirs"] }), [])
    const chain = [
      { from: "A", to: "B", on: "2010-01-01" },
      { from: "B", to: "C", on: "2020-01-01" }
    ]
    assert.deepStrictEqual(problems(...chain), [])
    assert.deepStrictEqual(
      problems({ from: "A", to: "B", on: "2010-01-01" }, { from: "B", to: "A", on: "2020-01-01" }),
      []
    )
    assert.deepStrictEqual(problems({ ...fb, reused: "2025-06-26" }, { from: "FB", to: "X", on: "2026-01-01" }), [])
  })

  it("refuses what contradicts itself, with the entry and what to do", () => {
    assert.deepStrictEqual(problems(fb, { from: "FB", to: "X", on: "2023-01-01" }), [
      "aliases.1.from: remove one of the two, or say reused: with the date from which FB was another company's"
    ])
    assert.deepStrictEqual(problems(fb, { from: "X", to: "META", on: "2023-01-01" }), [
      "aliases.1.to: remove one of the two, or correct its date"
    ])
    assert.deepStrictEqual(problems({ ...fb, to: "fb" }), ["aliases.0.to: correct one of them"])
    assert.deepStrictEqual(problems({ ...fb, reused: "2022-01-01" }), ["aliases.0.reused: correct one of the dates"])
    assert.deepStrictEqual(problems({ ...fb, vendors: ["yours"] }), ["aliases.0.vendors: remove yours"])
  })
})
