import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { expectNode } from "../../../src/programs/failure/expectNode.ts"

describe("expectNode", () => {
  it.effect("an older Node is told what is needed; the one that runs this is new enough", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(expectNode("20.20.2"))
      assert.include(message, "needs Node 24 or newer, and this is Node 20.20.2")
      for (const version of ["24.0.0", "25.1.0", "100.0.0-pre", process.versions.node]) {
        assert.isTrue(Exit.isSuccess(yield* Effect.exit(expectNode(version))), version)
      }
      assert.isTrue(Exit.isFailure(yield* Effect.exit(expectNode("9.11.2"))))
    })
  )
})
