/** Books of a gateway: whole, in order, the market's, and never gone on with when something of them was missed. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { TestClock } from "effect/testing"
import type { Book } from "../../../../src/domain/streams/StreamRow.ts"
import { BookState } from "../../../../src/layers/adapters/ibkr/BookState.ts"
import * as IbkrAdapter from "../../../../src/layers/adapters/ibkr/IbkrAdapter.ts"
import { resolveVendor } from "../../../../src/layers/adapters/ibkr/IbkrVendor.ts"
import { MarketStreams } from "../../../../src/services/MarketStreams.ts"
import { record, rowsOf, tags } from "../../streams/support.ts"
import { rigged } from "./rigged.ts"
import { answerTime, scripted, type Talk } from "./scriptedGateway.ts"
import { eventually } from "./session.ts"

const second = 1_000
const spy = { symbol: "SPY", kind: "depth" as const }

const isInOrder = ({ asks, bids }: Book): void => {
  const rising = asks.map(([price]) => price)
  const falling = bids.map(([price]) => price)
  assert.deepStrictEqual(
    rising,
    rising.toSorted((a, b) => a - b)
  )
  assert.deepStrictEqual(
    falling,
    falling.toSorted((a, b) => b - a)
  )
  const [ask, bid] = [rising[0], falling[0]]
  if (ask !== undefined && bid !== undefined) assert.isAbove(ask, bid)
}

describe("a book, change by change", () => {
  it("rows are inserted, overwritten and taken out where they are; what was taken is not changed", () => {
    const book = new BookState(3)
    const change = (place: number, operation: number, price: number, size = 1) =>
      assert.isNull(book.change(place, operation, 1, price, size))
    change(0, 0, 10)
    change(1, 0, 8)
    const before = book.take(5)
    change(1, 0, 9)
    change(3, 0, 7)
    change(0, 1, 10, 7)
    assert.deepStrictEqual(before?.bids, [
      [10, 1],
      [8, 1]
    ])
    assert.deepStrictEqual(book.take(6)?.bids, [
      [10, 7],
      [9, 1],
      [8, 1]
    ])
    assert.isNull(book.take(7))
    change(1, 2, 0)
    change(5, 2, 0)
    assert.deepStrictEqual(book.take(8)?.bids, [
      [10, 7],
      [8, 1]
    ])
  })

  it("a change to a row that is not there is not made, and named", () => {
    const book = new BookState(10)
    assert.match(book.change(1, 0, 0, 10, 1) ?? "", /row 1 of a side that has 0/)
    assert.match(book.change(0, 1, 0, 10, 1) ?? "", /row 0 of a side that has 0/)
    assert.match(book.change(-1, 0, 0, 10, 1) ?? "", /no row -1/)
    assert.match(book.change(0, 7, 0, 10, 1) ?? "", /no operation 7|a side that has 0/)
    assert.match(book.change(0, 0, 0, Number.NaN, 1) ?? "", /price NaN/)
    assert.isNull(book.take(1))
    book.tear()
    assert.match(book.change(0, 0, 0, 10, 1) ?? "", /not followed/)
    book.clear()
    assert.isNull(book.change(0, 0, 0, 10, 1))
  })
})

describe("depth of the simulated gateway", () => {
  for (const depthChanges of ["rows", "shifts"] as const) {
    it.effect(`told in ${depthChanges}: whole books in order, the best of them the market's`, () =>
      rigged(
        ({ gateway, pass }) =>
          Effect.gen(function* () {
            const seen = yield* record([spy, { symbol: "FUT:ES-20260619@CME", kind: "depth" }], undefined, "ibkr")
            yield* pass(5 * second)
            for (let turn = 0; turn < 30; turn++) {
              yield* pass(second)
              const book = rowsOf(seen).at(-1) as Book
              const truth = gateway.truth("SPY", gateway.now() - 60 * second, gateway.now() + 1).quotes.at(-1)
              assert.strictEqual(book.bids.length, 10)
              assert.strictEqual(book.asks.length, 10)
              // It is told ten times a second.
              assert.closeTo(book.bids[0]?.[0] ?? 0, truth?.bid ?? 0, 0.05)
              assert.closeTo(book.asks[0]?.[0] ?? 0, truth?.ask ?? 0, 0.05)
            }
            for (const stream of [0, 1]) {
              const books = rowsOf(seen, stream) as ReadonlyArray<Book>
              assert.isAbove(books.length, 10)
              for (const book of books) isInOrder(book)
              assert.notInclude(tags(seen, stream), "Gap")
            }
          }),
        { depthChanges }
      )
    )
  }

  it.effect("begun anew after a connection that was lost, and after a farm that came back: whole again", () =>
    rigged(
      ({ gateway, pass }) =>
        Effect.gen(function* () {
          const seen = yield* record([spy], undefined, "ibkr")
          yield* pass(5 * second)
          for (const fault of [
            { _tag: "Drop", how: "rst" },
            { _tag: "FarmBroken", farm: "usfarm", forMillis: 4 * second }
          ] as const) {
            const before = seen.items.length
            yield* gateway.inject(fault)
            yield* pass(15 * second)
            const after = seen.items.slice(before).map(({ event }) => event)
            assert.includeMembers(
              after.map(({ _tag }) => _tag),
              ["Gap", "Resumed", "Depth"]
            )
            const resumed = after.findIndex(({ _tag }) => _tag === "Resumed")
            const books = after.slice(resumed).flatMap((event) => (event._tag === "Depth" ? event.rows : []))
            for (const book of books) isInOrder(book)
            assert.strictEqual(books.at(-1)?.bids.length, 10)
          }
        }),
      { depthChanges: "shifts" }
    )
  )

  it.effect("as many rows as are asked for; more than there can be are refused", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const seen = yield* record([{ ...spy, params: { rows: "3" } }], undefined, "ibkr")
        yield* pass(5 * second)
        assert.strictEqual((rowsOf(seen).at(-1) as Book).asks.length, 3)
        const market = yield* MarketStreams
        for (const rows of ["0", "61", "many"]) {
          const refused = yield* Effect.flip(market.keys({ vendor: "ibkr", streams: [{ ...spy, params: { rows } }] }))
          assert.match(refused.message, /1 to 60 rows/)
        }
        assert.strictEqual(gateway.clients()[0]?.open.length, 1)
      })
    )
  )
})

describe("depth of a gateway that says what it should not", () => {
  const asked = (fields: ReadonlyArray<string>) => (fields[0] === "10" ? Number(fields[2]) : null)

  const begin = Effect.fnUntraced(function* (tell: (talk: Talk, id: number, request: number) => void) {
    let requests = 0
    const gateway = yield* scripted({
      onMessage: (fields, talk) => {
        answerTime(fields, talk)
        const id = asked(fields)
        if (id !== null) tell(talk, id, ++requests)
      }
    })
    const vendor = Result.getOrThrow(resolveVendor("ibkr", { port: gateway.port }, 1 << 26))
    const { stream } = yield* IbkrAdapter.make(vendor)
    if (stream === undefined) throw new Error("the adapter cannot stream")
    const said: Array<string> = []
    const books: Array<Book> = []
    const one = (row: unknown) => {
      books.push(row as Book)
      said.push("row")
    }
    yield* stream.open(yield* stream.key(spy), {
      row: one,
      rows: (rows) => rows.forEach(one),
      event: ({ _tag }) => said.push(_tag)
    })
    return { gateway, said, books }
  })

  const row = (id: number, place: number, operation: number, price: number) =>
    [13, 1, id, place, "NYSE", operation, 1, price, 100, 1] as const

  it.effect("317 empties the book, and it goes on with the new rows", () =>
    Effect.gen(function* () {
      const { books, gateway, said } = yield* begin((talk, id) => {
        talk.send(...row(id, 0, 0, 10))
        talk.send(...row(id, 1, 0, 9))
        setTimeout(() => {
          talk.send(4, 2, id, 317, "Market depth data has been RESET.", "")
          talk.send(...row(id, 0, 0, 20))
        }, 20)
      })
      yield* TestClock.adjust("3 seconds")
      yield* eventually("the new book", () => books.at(-1)?.bids[0]?.[0] === 20)
      assert.deepStrictEqual(books.at(-1)?.bids, [[20, 100]])
      assert.strictEqual(gateway.messages.filter((fields) => asked(fields) !== null).length, 1)
      assert.notInclude(said, "Gap")
    })
  )

  it.effect("a row that does not fit, and 316: a gap, and the book is asked for again under another number", () =>
    Effect.gen(function* () {
      const { books, gateway, said } = yield* begin((talk, id, request) => {
        talk.send(...row(id, 0, 0, 10 + request))
        setTimeout(() => {
          if (request === 1) for (const place of [5, 6, 7]) talk.send(...row(id, place, 1, 9))
          if (request === 2) talk.send(4, 2, id, 316, "Market depth data has been HALTED. Please re-subscribe.", "")
        }, 20)
      })
      yield* TestClock.adjust("3 seconds")
      yield* Effect.forkScoped(
        Effect.forever(Effect.andThen(TestClock.withLive(Effect.sleep("2 millis")), TestClock.adjust("50 millis")))
      )
      yield* eventually("the third book", () => books.at(-1)?.bids[0]?.[0] === 13)
      const ids = gateway.messages.map(asked).filter((id) => id !== null)
      assert.strictEqual(new Set(ids).size, 3)
      const cancelled = gateway.messages.filter(([kind]) => kind === "11").map((fields) => Number(fields[2]))
      assert.deepStrictEqual(cancelled, ids.slice(0, 2))
      // That it is asked for again after a pause is another word about the same gap.
      const words = said.filter((word, index) => word !== "Gap" || said[index - 1] !== "Gap")
      assert.deepStrictEqual(words, ["Started", "row", "Gap", "Resumed", "row", "Gap", "Resumed", "row"])
    })
  )
})
