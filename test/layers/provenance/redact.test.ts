import { assert, describe, it } from "@effect/vitest"
import { deniedNames, make, redacted } from "../../../src/layers/provenance/redact.ts"

const { json, metadata, text } = make()

describe("redaction", () => {
  it("hides the values of denied names, at any depth, whatever their case and separators", () => {
    assert.deepStrictEqual(
      json({ symbol: "AAPL", API_KEY: "s3cret", nested: [{ "Access-Token": { a: 1 }, limit: 5 }], password: null }),
      { symbol: "AAPL", API_KEY: redacted, nested: [{ "Access-Token": redacted, limit: 5 }], password: redacted }
    )
    for (const name of deniedNames)
      assert.deepStrictEqual(json({ [name.toUpperCase()]: "x" }), { [name.toUpperCase()]: redacted })
  })

  it("leaves everything else as it is", () => {
    const plain = { symbol: "KEY", monkey: 1, tokens: 3, keys: ["a"], from: "2019-01-02", ok: true, none: null }
    assert.deepStrictEqual(json(plain), plain)
    assert.strictEqual(text("close = 5; a@b.example"), "close = 5; a@b.example")
  })

  it("hides query parameters and the user part of URLs, wherever they are quoted", () => {
    assert.strictEqual(
      text("GET https://user:pa55@vendor.example/v1?symbol=A&apikey=s3cret&x=1#access_token=abc failed"),
      `GET https://${redacted}@vendor.example/v1?symbol=A&apikey=${redacted}&x=1#access_token=${redacted} failed`
    )
    assert.strictEqual(text("?api%5Fkey=s3cret&%=1"), `?api%5Fkey=${redacted}&%=1`)
  })

  it("hides authorizations in free text", () => {
    assert.strictEqual(text("sent Authorization: Bearer abcdef.GHIJKL_-9="), `sent Authorization: Bearer ${redacted}`)
    assert.strictEqual(text("token expired"), "token expired")
  })

  it("hides header names of credentials, also prefixed ones", () => {
    const headers = {
      Authorization: "Bearer x",
      "Set-Cookie": "a=b",
      "X-Goog-Api-Key": "x",
      "Ocp-Apim-Subscription-Key": "x",
      "X-Amz-Security-Token": "x",
      "Content-Type": "text/csv",
      Location: "https://vendor.example/next?token=abc&page=2"
    }
    const base = { contentType: null, encoding: null, transportStatus: null, elapsedMillis: null, adapter: {} }
    assert.deepStrictEqual(metadata({ ...base, url: "https://v.example/?key=1&page=2", headers }), {
      ...base,
      url: `https://v.example/?key=${redacted}&page=2`,
      headers: {
        Authorization: redacted,
        "Set-Cookie": redacted,
        "X-Goog-Api-Key": redacted,
        "Ocp-Apim-Subscription-Key": redacted,
        "X-Amz-Security-Token": redacted,
        "Content-Type": "text/csv",
        Location: `https://vendor.example/next?token=${redacted}&page=2`
      }
    })
  })

  it("can be told of more names", () => {
    const more = make(["account-id"])
    assert.deepStrictEqual(more.json({ accountId: "U1", ACCOUNT_ID: "U1", key: "x" }), {
      accountId: redacted,
      ACCOUNT_ID: redacted,
      key: redacted
    })
    assert.strictEqual(more.text("?account_id=U1"), `?account_id=${redacted}`)
  })
})
