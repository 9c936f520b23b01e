import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { contract, started } from "./client.ts"
import type { RawClient } from "./RawClient.ts"

const folder = fileURLToPath(new URL("../../../../examples/gateway-scenarios/", import.meta.url))
const files = readdirSync(folder)

const stepsOf = (file: string) =>
  Result.getOrThrow(GatewaySimulator.parseScenario(readFileSync(`${folder}${file}`, "utf8")))

/** What each tells within its time, as codes of a client that connects again whenever it was closed. */
const expected: Readonly<Record<string, ReadonlyArray<number>>> = {
  "drops.yaml": [],
  "silent-lines.yaml": [1100, 1100, 1100, 1102, 1100, 1101],
  "farm-blip.yaml": [2103, 2104, 2105, 2106, 2157, 2158],
  "night.yaml": [],
  "rights-and-limits.yaml": [10197, 354, 100],
  // The one whose text is not UTF-8.
  "damaged-frames.yaml": [2104]
}

describe("a scenario", () => {
  it.effect.each(files)("of the examples is played as it is written: %s", (file) =>
    Effect.gen(function* () {
      const steps = stepsOf(file)
      assert.isAbove(steps.length, 0)
      const gateway = yield* GatewaySimulator.make({ scenario: steps })
      const clients: Array<RawClient> = []
      const codes = () =>
        clients.flatMap((client) =>
          client
            .of(4)
            .map(([, , , code]) => Number(code))
            .slice(5)
        )
      const client = yield* started(gateway.port)
      clients.push(client)
      client.send(1, 11, 1, ...contract("AAPL"), 0, "", 0, 0, "")
      yield* Effect.promise(() => client.answered())
      const before = client.received.length
      for (let minute = 0; minute < 6; minute++) {
        yield* gateway.advance("59 seconds")
        yield* gateway.advance("1 second")
      }
      // What was sent has arrived when the connection is closed or answers.
      yield* gateway.inject({ _tag: "Clear" })
      yield* gateway.inject({ _tag: "Drop", how: "fin" })
      yield* Effect.promise(() => client.end())
      assert.deepStrictEqual(codes(), expected[file])
      assert.isAbove(client.received.length, before)
    })
  )

  it("has six examples", () => {
    assert.sameMembers(files, Object.keys(expected))
  })

  it("that cannot be meant says on which line, in which entry, and why", () => {
    const detail = (text: string) => {
      const parsed = GatewaySimulator.parseScenario(text)
      return Result.isFailure(parsed) ? parsed.failure.detail : "it was read"
    }
    assert.match(detail("at: 1s"), /no list/)
    assert.match(detail("- fault: Clear"), /line 1, entry 1: it says neither at nor every/)
    assert.match(
      detail("- at: 1s\n  fault: Clear\n- at: soon\n  fault: Clear"),
      /line 3, entry 2: at: "soon" is no duration/
    )
    assert.match(detail("- every: 1ms\n  fault: Clear"), /line 1, entry 1: every/)
    assert.match(detail("- at: 1s\n  fault: Explode"), /line 2, entry 1: fault: .*Drop.*found "Explode"/)
    assert.match(
      detail("- at: 1s\n  fault: Duplicates\n  share: 2"),
      /line 3, entry 1: share: expected a value between 0 and 1, found 2/
    )
    assert.match(
      detail("- at: 1s\n  fault: Clear\n  how: fin"),
      /line 3, entry 1: how: .*a key that is not known here; remove it/
    )
    assert.match(detail("- at: 1s\n  fault: Drob\n  how: fin"), /line 2, entry 1: fault: .*did you mean Drop/)
    assert.match(
      detail("- at: 1s\n  fault: Drop\n  how: rts"),
      /line 3, entry 1: how: expected "fin" \| "rst", found "rts"/
    )
    assert.match(detail("- at: 1s\n  fault: Refuse"), /line 1, entry 1: forMillis: expected .*, found nothing; add it/)
    assert.match(
      detail("# comment\n\n- fault: Refuse\n  forMillis: abc\n  every: 10m"),
      /line 4, entry 1: forMillis: .*found "abc"/
    )
    assert.match(detail("- at: 1s\n  fault: NightlyReset\n  time: noon"), /line 3, entry 1: time: .*found "noon"/)
    assert.match(detail("- at: [1s\n"), /line/)
  })
})
