import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import {
  Adjustment,
  canonical,
  PriceBasis,
  parse,
  SeriesKey,
  SeriesKind,
  SessionScope
} from "../../src/domain/SeriesKey.ts"
import * as Timeframe from "../../src/domain/Timeframe.ts"

const key = (change: Partial<SeriesKey> = {}): SeriesKey => ({
  vendor: "sample",
  dataset: null,
  symbol: "SPX",
  kind: "bar",
  timeframe: "1d",
  price: "trade",
  session: "regular",
  currency: "USD",
  adjustment: "raw",
  ...change
})

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex")

/** Never change a line of these: stored series are named by them. */
const golden: ReadonlyArray<readonly [key: SeriesKey, text: string, sha256: string]> = [
  [
    key({}),
    "v1/sample/-/SPX/bar/1d/trade/regular/USD/raw",
    "8122e99c72ed8c3357a1d9f7fce1de3d32c6f8be5b23a85ecaf767ac3df46eaa"
  ],
  [
    key({ symbol: "BRK.B", vendor: "yahoo", adjustment: "splits" }),
    "v1/yahoo/-/BRK.B/bar/1d/trade/regular/USD/splits",
    "727e74bcbefbee7835dc9650cdb176fca9e085f38add540e28e7f1c30f65cd48"
  ],
  [
    key({ symbol: "EURUSD=X", session: "all", currency: null, timeframe: "1h" }),
    "v1/sample/-/EURUSD%3DX/bar/1h/trade/all/-/raw",
    "3c0f70aebf0fb1e89df8c7c5fe9469153558531b01f72c6c6f90be26943e6a2c"
  ],
  [
    key({ symbol: "^GSPC", timeframe: "1mo", adjustment: "all" }),
    "v1/sample/-/%5EGSPC/bar/1mo/trade/regular/USD/all",
    "d7b9dfba36849db92b49904d1ddc23d91c0c8c642f107068a4a85b696e4bfb9c"
  ],
  [
    key({ symbol: "ES/M6", vendor: "ibkr", dataset: "CME/GLOBEX", session: "extended", timeframe: "5s" }),
    "v1/ibkr/CME%2FGLOBEX/ES%2FM6/bar/5s/trade/extended/USD/raw",
    "b023f3903c4e7af4ccd4aae6fe2f135cf3e2dc62d70e74e50d7655a42642cd5d"
  ],
  [
    key({ symbol: "-", dataset: "-", currency: "-" }),
    "v1/sample/%2D/%2D/bar/1d/trade/regular/%2D/raw",
    "0aae4f63faed7fb2a185a029a0c76c76624b79ae78866713d98d5dafd0361516"
  ],
  [
    key({ symbol: "%", dataset: "%2D" }),
    "v1/sample/%252D/%25/bar/1d/trade/regular/USD/raw",
    "1272310ff33f3156ab29e8547b4e64f269af386b78f5199a868a146229b6732c"
  ],
  [
    key({ symbol: "Ж日経🚀", dataset: "données" }),
    "v1/sample/donn%C3%A9es/%D0%96%E6%97%A5%E7%B5%8C%F0%9F%9A%80/bar/1d/trade/regular/USD/raw",
    "3de5f2b81ade85bd38ba42728e77ee7efa9ccd0bd72ff5b00af36f358d21c89c"
  ],
  [
    key({ symbol: "BTC USD", price: "bid", timeframe: "1m", currency: "USDT" }),
    "v1/sample/-/BTC%20USD/bar/1m/bid/regular/USDT/raw",
    "ee4600bbb72813a09a2cdd981b3c2139e5cd2374098b9b1c7971d137f73f6b54"
  ],
  [
    key({ kind: "trade", timeframe: null, symbol: "AAPL", price: "none", dataset: "XNAS.ITCH" }),
    "v1/sample/XNAS.ITCH/AAPL/trade/-/none/regular/USD/raw",
    "7ccb85fa71592e813640edd4c12bca18a9c9bdc0735159a0c02b9b2f87f71e4e"
  ],
  [
    key({ symbol: "a!~*'()b", price: "mid" }),
    "v1/sample/-/a!~*'()b/bar/1d/mid/regular/USD/raw",
    "7525d19359b3f424e5d0760ef7bef3e3fba18e93f4048673d808821a31082607"
  ]
]

const part = fc.oneof(
  fc.constantFrom(
    "-",
    "%",
    "%2D",
    "--",
    "/",
    ".",
    "..",
    " ",
    "BRK.B",
    "EURUSD=X",
    "^GSPC",
    "ES/M6",
    "Δ",
    "日経",
    "🚀",
    "a b",
    "\n"
  ),
  fc.string({ minLength: 1, maxLength: 8 }),
  fc.string({ minLength: 1, maxLength: 8, unit: "binary" })
)
const keys: fc.Arbitrary<SeriesKey> = fc
  .record({
    vendor: part,
    dataset: fc.option(part),
    symbol: part,
    kind: fc.constantFrom(...SeriesKind.literals),
    timeframe: fc.constantFrom(...Timeframe.all),
    price: fc.constantFrom(...PriceBasis.literals),
    session: fc.constantFrom(...SessionScope.literals),
    currency: fc.option(part),
    adjustment: fc.constantFrom(...Adjustment.literals)
  })
  .map((any) => ({ ...any, timeframe: any.kind === "bar" ? any.timeframe : null }))

describe("SeriesKey", () => {
  it("golden vectors: canonical text and its sha256", () => {
    assert.isAtLeast(golden.length, 8)
    for (const [series, text, hash] of golden) {
      assert.strictEqual(canonical(series), text)
      assert.strictEqual(sha256(canonical(series)), hash)
      assert.deepStrictEqual(Result.getOrThrow(parse(text)), series)
    }
  })

  it("parse is the inverse of canonical, for any key", () => {
    fc.assert(
      fc.property(keys, (any) => {
        assert.deepStrictEqual(Result.getOrThrow(parse(canonical(any))), any)
      }),
      { numRuns: 3_000 }
    )
  })

  it("keys that differ in any part differ in their text", () => {
    const text = (any: SeriesKey) => JSON.stringify(Object.values(any))
    fc.assert(
      fc.property(keys, keys, fc.constantFrom(...Object.keys(key())), (a, b, field) => {
        const mixed = { ...a, ...Object.fromEntries(Object.entries(b).filter(([name]) => name === field)) }
        assert.strictEqual(canonical(a) === canonical(mixed), text(a) === text(mixed))
        assert.strictEqual(canonical(a) === canonical(b), text(a) === text(b))
      }),
      { numRuns: 3_000 }
    )
  })

  it("an absent part is not a part that is written like one", () => {
    const texts = [null, "-", "%2D", "%252D", "none"].map((dataset) => canonical(key({ dataset })))
    assert.strictEqual(new Set(texts).size, texts.length)
  })

  it("refuses what is not a canonical text, with a sentence", () => {
    const good = canonical(key())
    const cases: ReadonlyArray<readonly [text: string, says: RegExp]> = [
      ["", /expected v1\/ and nine parts/],
      ["SPX", /expected v1/],
      [good.replace("v1", "v2"), /expected v1/],
      [`${good}/x`, /nine parts/],
      [good.replace("SPX", ""), /not a series key/],
      [good.replace("SPX", "-"), /not a series key/],
      [good.replace("SPX", "%"), /not a series key/],
      [good.replace("SPX", "%E0%A4"), /not a series key/],
      [good.replace("SPX", "%53PX"), /canonical spelling is v1\/sample\/-\/SPX/],
      [good.replace("SPX", "^GSPC"), /canonical spelling is .*%5EGSPC/],
      [good.replace("1d", "2d"), /not a series key/],
      [good.replace("1d", "-"), /a bar series has a timeframe/],
      [good.replace("bar", "trade"), /no other series has one/],
      [good.replace("raw", "none"), /not a series key/]
    ]
    for (const [text, says] of cases) {
      const result = parse(text)
      assert.match(Result.isFailure(result) ? result.failure : "accepted", says, text)
    }
  })

  it("refuses keys without a canonical text", () => {
    const decode = Schema.decodeUnknownResult(SeriesKey)
    assert.isTrue(Result.isSuccess(decode(key())))
    for (const change of [{ symbol: "" }, { vendor: "" }, { dataset: "" }, { symbol: "\ud800" }, { timeframe: null }]) {
      assert.isTrue(Result.isFailure(decode(key(change))), JSON.stringify(change))
    }
  })
})
