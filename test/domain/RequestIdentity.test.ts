import { hash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { identityText } from "../../src/domain/CanonicalJson.ts"
import type { RequestIdentity } from "../../src/domain/Request.ts"

const identify = (identity: RequestIdentity) => hash("sha256", Result.getOrThrow(identityText(identity)))

const base: RequestIdentity = {
  source: "sample",
  kind: "bars",
  method: "GET",
  params: {},
  body: null,
  bucket: null,
  cacheTag: null
}

/** Made with Python's hashlib from hand-written text: another runtime must come to the same names. */
const golden: ReadonlyArray<readonly [RequestIdentity, string]> = [
  [base, "2482e7f57254dc302ee3e1af5609e295fe764e3fbf51dedc11b2b4f870cfafcc"],
  [
    { ...base, params: { symbol: "SPX", limit: 1000.0, from: "2019-01-02", adjusted: false } },
    "937406476809ae5e19e6788de32797f61b14e1e216ce373a77f6c3ea894acbe4"
  ],
  [
    {
      source: "ibkr",
      kind: "contract-details",
      method: "POST",
      params: null,
      body: { ratio: 0.1, fields: ["close", "open"] },
      bucket: "2019-01-02",
      cacheTag: "experiment"
    },
    "a22add8024f599030da82397fafcbbb8119c00347c971bbe4febe823556a9a0a"
  ],
  [
    {
      source: "vendor",
      kind: "news",
      method: "COMMAND",
      params: { "\u{1f600}": 1e21, "\ue000": 2, a: -1.5e-7 },
      body: 'é\u{1f600} "quoted"\n',
      bucket: null,
      cacheTag: null
    },
    "9971827a50512e09992ddf21b865991c1cc20ac76bb1a139a943f6c5cb666178"
  ]
]

describe("C3 request identity", () => {
  it("C3 request identity is stable across runtimes", () => {
    for (const [identity, expected] of golden) assert.strictEqual(identify(identity), expected)
  })

  it("C3 cross-source key: the same question to another source is another request", () => {
    assert.notStrictEqual(identify(base), identify({ ...base, source: "other" }))
  })

  it("C3 every part counts", () => {
    const variants: ReadonlyArray<RequestIdentity> = [
      base,
      { ...base, source: "other" },
      { ...base, kind: "quotes" },
      { ...base, method: "POST" },
      { ...base, params: { a: 1 } },
      { ...base, params: { a: null } },
      { ...base, params: null },
      { ...base, body: {} },
      { ...base, bucket: "" },
      { ...base, bucket: "x" },
      { ...base, cacheTag: "" },
      { ...base, cacheTag: "x" }
    ]
    assert.strictEqual(new Set(variants.map(identify)).size, variants.length)
  })

  it("C3 parts cannot run into each other", () => {
    assert.notStrictEqual(
      identify({ ...base, bucket: 'a","cacheTag":"b' }),
      identify({ ...base, bucket: "a", cacheTag: "b" })
    )
  })
})
