/** Headlines of instruments and IB's bulletins, each once. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { News } from "../../../../src/domain/records/News.ts"
import { bulletinOf, headlineOf } from "../../../../src/layers/adapters/ibkr/newsOf.ts"
import { record, rowsOf, tags } from "../../streams/support.ts"
import { rigged } from "./rigged.ts"

const minute = 60_000

describe("news", () => {
  it("a headline is what stands behind the marks; an empty one is none", () => {
    assert.deepInclude(headlineOf(5, "BRFG$1", "{A:1,2:L:en}{C:0.9}!Apple buys"), {
      ts: 5,
      id: "BRFG$1",
      title: "Apple buys"
    })
    assert.isNull(headlineOf(5, "BRFG$1", "{A:1}"))
    assert.isNull(headlineOf(Number.NaN, "BRFG$1", "x"))
    assert.deepInclude(bulletinOf(3, " halted ", "NYSE", Date.UTC(2026, 3, 10)), {
      id: "bulletin 2026-04-10 NYSE 3",
      title: "halted"
    })
  })

  it.effect("headlines of an instrument as they are published, without a quote, and again after a reconnect", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const seen = yield* record([{ symbol: "AAPL", kind: "news" }], undefined, "ibkr")
        const passed = (minutes: number) =>
          Effect.forEach(Array.from({ length: minutes }), () => pass(minute, 5_000), { discard: true })
        yield* passed(90)
        const rows = rowsOf(seen) as ReadonlyArray<News>
        assert.isAtLeast(rows.length, 1)
        for (const { id, title, ts, url } of rows) {
          assert.match(id ?? "", /^\w+\$/)
          assert.match(title, /^[A-Z]/)
          assert.isAtMost(ts, gateway.now())
          assert.isNull(url)
        }
        assert.strictEqual(new Set(rows.map(({ id }) => id)).size, rows.length)
        yield* gateway.inject({ _tag: "Drop", how: "fin" })
        yield* passed(90)
        assert.includeMembers([...tags(seen)], ["Gap", "Resumed", "Unrepairable"])
        assert.isAbove(rowsOf(seen).length, rows.length)
      })
    )
  )

  it.effect("bulletins, as the symbol *: those of the day and later ones, and after a reconnect none twice", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        yield* gateway.inject({ _tag: "Bulletin", text: "the first" })
        const seen = yield* record([{ symbol: "*", kind: "news" }], undefined, "ibkr")
        yield* pass(3_000)
        yield* gateway.inject({ _tag: "Bulletin", text: "the second" })
        yield* pass(1_000)
        yield* gateway.inject({ _tag: "Drop", how: "rst" })
        yield* pass(10_000)
        yield* gateway.inject({ _tag: "Bulletin", text: "the third" })
        yield* pass(1_000)
        const titles = (rowsOf(seen) as ReadonlyArray<News>).map(({ title }) => title)
        assert.deepStrictEqual(titles, ["the first", "the second", "the third"])
      })
    )
  )
})
