import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    // Many tests mostly wait for processes of their own; on two cores the default is one file at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1)
  }
})
