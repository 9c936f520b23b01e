import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Path, Result } from "effect"
import { rangeText } from "../../../../src/layers/adapters/http/timeText.ts"
import * as TapestryConfig from "../../../../src/layers/config/TapestryConfig.ts"

const decode = (yaml: string) =>
  Effect.map(Path.Path, (path) => TapestryConfig.decode("/nowhere/tapestry.yaml", yaml, path)).pipe(
    Effect.provide(NodePath.layer)
  )

const base = `
vendors:
  v:
    adapter: http
    url: https://api.example.com/{symbol}?a={start}
    timeframes: { 1d: {} }
`

describe("the configuration of a vendor over HTTP", () => {
  it.effect("the three examples of the documentation are whole", () =>
    Effect.gen(function* () {
      const page = readFileSync(fileURLToPath(new URL("../../../../docs/vendors/http.md", import.meta.url)), "utf8")
      const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml ?? "")
      assert.strictEqual(examples.length, 3)
      for (const yaml of examples) {
        const decoded = yield* decode(yaml)
        assert.isTrue(Result.isSuccess(decoded), Result.isFailure(decoded) ? decoded.failure.message : "")
      }
    })
  )

  for (const [change, place, expected] of [
    [["url: https://api.example.com", "url: ftp://x"], "url", /begins with https/],
    [["api.example.com", "{symbol}.example.com"], "url", /host without places/],
    [["https://api", "https://me:pass@api"], "url", /without a password/],
    [["{symbol}?", "{sybmol}?"], "url", /\{sybmol\} is no place/],
    [["/{symbol}?a={start}", "/"], "url", /\{symbol\} in the address/],
    [["{ 1d: {} }", "{ 1m: {} }\n    timestamp: yyyyMMdd"], "timestamp", /time of day/],
    [["{ 1d: {} }", "{ 1d: {} }\n    zone: New York"], "zone", /IANA zone/],
    [["{ 1d: {} }", "{ 1d: {} }\n    calendar: XNYSE"], "calendar", /calendar/],
    [["{ 1d: {} }", "{ 1d: {} }\n    auth: { kind: basic, secret: A }"], "auth.user", /the user/],
    [["{ 1d: {} }", "{ 1d: {} }\n    auth: { kind: header, secret: A }"], "auth.name", /name of the header/],
    [
      ["{ 1d: {} }", "{ 1d: {} }\n    auth: { kind: bearer, secret: 'my secret!' }"],
      "auth.secret",
      /environment variable/
    ],
    [["{ 1d: {} }", "{ 1d: {} }\n    headers: { X Y: a }"], "headers.X Y", /a header can have/],
    [["{ 1d: {} }", "{ 1d: {} }\n    pagination: { kind: cursor }"], "pagination", /either pointer or link/],
    [
      ["{ 1d: {} }", "{ 1d: {} }\n    pagination: { kind: cursor, pointer: /next }"],
      "pagination.pointer",
      /format: json, .*link: true/
    ],
    [
      ["{ 1d: {} }", "{ 1d: {} }\n    format: ndjson\n    pagination: { kind: cursor, pointer: /next }"],
      "pagination.pointer",
      /format: json/
    ],
    [
      ["{ 1d: {} }", "{ 1d: {} }\n    format: csv\n    pagination: { kind: page, rows: 10, more: /more }"],
      "pagination.more",
      /format: json/
    ],
    [["{ 1d: {} }", "{ 1d: {} }\n    errors: [{ means: Empty }]"], "errors.0", /at least one of status/],
    [
      ["{ 1d: {} }", "{ 1d: {} }\n    errors: [{ matches: '(', means: Empty }]"],
      "errors.0.matches",
      /regular expression/
    ],
    [["{ 1d: {} }", "{ 1d: {} }\n    time: { format: yy }"], "time.format", /format of time/],
    [["{ 1d: {} }", "{ 1d: {} }\n    shape: columns"], "shape", /format: json/],
    [["{ 1d: {} }", "{ 1d: {} }\n    body: { a: 1 }"], "body", /method: POST/],
    [["{ 1d: {} }", "{}"], "timeframes", /at least one timeframe/]
  ] as const) {
    it.effect(`a mistake is placed: ${change[1].trim()}`, () =>
      Effect.gen(function* () {
        const decoded = yield* decode(base.replace(change[0], change[1]))
        if (Result.isSuccess(decoded)) return assert.fail("it was accepted")
        const found = decoded.failure.problems.find((problem) => problem.path === `vendors.v.${place}`)
        assert.isDefined(found, JSON.stringify(decoded.failure.problems))
        assert.match(found?.expected ?? "", expected)
      })
    )
  }

  it.effect("credentials go over http to loopback only", () =>
    Effect.gen(function* () {
      const auth = "{ 1d: {} }\n    auth: { kind: bearer, secret: A }"
      const plain = base.replace("https:", "http:").replace("{ 1d: {} }", auth)
      assert.isTrue(Result.isFailure(yield* decode(plain)))
      assert.isTrue(Result.isSuccess(yield* decode(plain.replace("api.example.com", "127.0.0.1:8080"))))
    })
  )
})

describe("the bounds of a range as a vendor wants to read them", () => {
  const day = { start: Date.parse("2024-03-10T00:00:00Z"), end: Date.parse("2024-03-12T00:00:00Z") }
  const hour = { start: Date.parse("2024-03-10T14:30:00.250Z"), end: Date.parse("2024-03-10T15:00:00.250Z") }
  for (const [format, end, zone, intraday, range, expected] of [
    ["iso", "exclusive", "UTC", true, hour, ["2024-03-10T14:30:00.250Z", "2024-03-10T15:00:00.250Z"]],
    ["epoch-seconds", "exclusive", "UTC", true, hour, ["1710081000", "1710082801"]],
    ["epoch-seconds", "inclusive", "UTC", true, hour, ["1710081000", "1710082800"]],
    ["epoch-nanos", "exclusive", "UTC", true, hour, ["1710081000250000000", "1710082800250000000"]],
    ["date", "inclusive", "America/New_York", false, day, ["2024-03-10", "2024-03-11"]],
    ["date", "exclusive", "America/New_York", false, day, ["2024-03-10", "2024-03-12"]],
    // New York's 10th of March 2024 begins at 05:00Z and its 12th, after the clocks went forward, at 04:00Z.
    ["iso", "exclusive", "America/New_York", false, day, ["2024-03-10T05:00:00Z", "2024-03-12T04:00:00Z"]],
    ["yyyyMMdd HH:mm", "inclusive", "America/New_York", true, hour, ["20240310 10:30", "20240310 11:00"]]
  ] as const) {
    it(`${format}, ${end}, ${zone}`, () => {
      const speller = Result.getOrThrow(rangeText({ format, end, zone }))
      assert.deepStrictEqual(Object.values(speller(range, intraday)), [...expected])
    })
  }
})
