/**
 * A process under load is killed by SIGKILL, again and again; after each restart everything it acknowledged must be there.
 *
 * Three kills in five are aimed: the child kills itself at a drawn visit of a drawn stage. The others come from outside at a
 * random moment. Where a child was is the last stage that it wrote down. Two lanes run beside each other, each with a data
 * directory that lives through several kills, so that recovery is itself recovered from.
 */
import { spawn } from "node:child_process"
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import { Effect, References, Stream } from "effect"
import { RequestId } from "../../../src/domain/Request.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { withArchive } from "./archive.ts"
import { temporaryDirectory } from "./temporary.ts"

const kills = 200
const lanes = 2
/** Kills of one data directory. */
const killsPerDirectory = 10
const seed = 20_261_121
const stages = ["beforeBytes", "bytesWritten", "renamed", "rowWritten", "acknowledged"] as const
const child = fileURLToPath(new URL("./crashChild.ts", import.meta.url))

const generator = (start: number) => {
  let state = start >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

interface Kill {
  readonly index: number
  /** Null: from outside, `after` milliseconds after the child was ready. */
  readonly stage: (typeof stages)[number] | null
  readonly visit: number
  readonly after: number
}

const plan: ReadonlyArray<Kill> = (() => {
  const random = generator(seed)
  return Array.from({ length: kills }, (_, index) => ({
    index,
    stage: index % 5 < 3 ? (stages[Math.floor(random() * stages.length)] ?? null) : null,
    visit: 1 + Math.floor(random() * 25),
    after: random() * 40
  }))
})()

/** Runs a child until it is dead and returns what it wrote down. */
const run = (directory: string, log: string, cache: string, kill: Kill) =>
  Effect.callback<string>((resume) => {
    const fd = openSync(log, "w")
    const args = [child, directory, String(seed + kill.index), kill.stage ?? "", String(kill.visit)]
    const running = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "inherit", fd],
      env: { NODE_COMPILE_CACHE: cache }
    })
    let timer: NodeJS.Timeout | undefined
    running.stdout?.on("data", (data: Buffer) => {
      if (kill.stage !== null || timer !== undefined || !data.toString().includes("ready")) return
      timer = setTimeout(() => running.kill("SIGKILL"), kill.after)
    })
    running.once("close", (_, signal) => {
      closeSync(fd)
      assert.strictEqual(signal, "SIGKILL", `kill ${kill.index}: the child ended by itself`)
      resume(Effect.succeed(readFileSync(log, "utf8")))
    })
    return Effect.callback<void>((dead) => {
      running.removeAllListeners("close")
      running.once("close", () => dead(Effect.void))
      running.kill("SIGKILL")
    })
  })

interface Acknowledged {
  readonly responses: Map<number, { readonly sha256: string; readonly size: number }>
  readonly requests: Set<number>
}

const note = (log: string, known: Acknowledged): string | null => {
  let stage: string | null = null
  for (const line of log.split("\n")) {
    const [what, first = "", sha256 = "", size = ""] = line.split(" ")
    if (what === "at") stage = first
    if (what === "req") known.requests.add(Number(first))
    if (what === "ack") known.responses.set(Number(first), { sha256, size: Number(size) })
  }
  return stage
}

/** Opens the archive as the next process would, and holds it against what was acknowledged. */
const check = (directory: string, known: Acknowledged, kill: Kill) =>
  Effect.gen(function* () {
    const store = yield* ProvenanceStore
    const at = `after kill ${kill.index}`
    assert.deepStrictEqual(yield* Stream.runCollect(store.verify(() => Effect.void)), [], `verify ${at}`)
    for (const session of yield* store.sessions({ limit: 1_000 })) {
      assert.strictEqual(session.outcome, "cancelled", `session ${session.id} ${at}`)
      assert.match(session.reason ?? "", /^process \d+ ended without closing the session$/)
    }
    const requests = new Map((yield* store.requests({ limit: 1_000_000 })).map((request) => [request.id, request]))
    for (const id of known.requests) assert.isDefined(requests.get(RequestId.make(id)), `request ${id} ${at}`)
    for (const request of requests.values()) assert.isNotNull(request.outcome, `request ${request.id} ${at}`)
    const responses = new Map(
      (yield* store.responses({ limit: 1_000_000 })).map((response) => [Number(response.id), response])
    )
    for (const [id, { sha256, size }] of known.responses) {
      assert.deepInclude(responses.get(id), { sha256, sizeBytes: size, status: "ok" }, `response ${id} ${at}`)
      assert.strictEqual(requests.get(RequestId.make(responses.get(id)?.request ?? 1))?.outcome, "fetched")
    }
    const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
    assert.deepStrictEqual(
      files.filter((name) => name.endsWith(".tmp")),
      [],
      `temporary files ${at}`
    )
  }).pipe(withArchive({ directory }))

it.live(
  `nothing acknowledged is lost when the archive's process is killed ${kills} times`,
  () =>
    Effect.gen(function* () {
      const hit = new Map<string, number>()
      let acknowledged = 0
      const cache = yield* temporaryDirectory
      const batches = Array.from({ length: kills / killsPerDirectory }, (_, batch) =>
        plan.slice(batch * killsPerDirectory, (batch + 1) * killsPerDirectory)
      )
      yield* Effect.forEach(
        batches,
        (batch) =>
          Effect.scoped(
            Effect.gen(function* () {
              const directory = yield* temporaryDirectory
              const known: Acknowledged = { responses: new Map(), requests: new Set() }
              for (const kill of batch) {
                const stage = note(yield* run(directory, join(directory, "log"), cache, kill), known) ?? "before any"
                hit.set(stage, (hit.get(stage) ?? 0) + 1)
                yield* check(directory, known, kill)
              }
              acknowledged += known.responses.size
            })
          ),
        { concurrency: lanes, discard: true }
      )
      const counts = stages.map((stage) => `${stage} ${hit.get(stage) ?? 0}`).join(", ")
      console.log(
        `${kills} kills (seed ${seed}): ${counts}, before the first ${hit.get("before any") ?? 0}; ${acknowledged} responses acknowledged, none lost`
      )
      for (const stage of stages) assert.isAbove(hit.get(stage) ?? 0, 0, `no kill hit ${stage}`)
      assert.isAbove(acknowledged, kills)
    }).pipe(Effect.provideService(References.MinimumLogLevel, "Warn")),
  180_000
)
