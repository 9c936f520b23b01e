/** A data directory that this user may read and not write. As root that takes a process of another uid. */
import { spawnSync } from "node:child_process"
import { chmodSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { archive, withArchive } from "./archive.ts"
import { temporaryDirectory } from "./temporary.ts"

const nobody = 65_534
const isRoot = process.getuid?.() === 0
const child = fileURLToPath(new URL("./openChild.ts", import.meta.url))

/** The lines that the child printed; null when the other user cannot reach node or this project at all. */
const open = (directory: string, mode: "readonly" | "writable", sha256: string) => {
  const result = spawnSync(process.execPath, [child, directory, mode, sha256], {
    encoding: "utf8",
    ...(isRoot ? { uid: nobody, gid: nobody } : {})
  })
  if (result.error !== undefined || result.stdout === "") return null
  return result.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
}

/** Takes the right to write from everybody, for as long as the test lasts. */
const sealed = (directory: string) =>
  Effect.acquireRelease(
    Effect.sync(() => setModes(directory, 0o555, 0o444)),
    () => Effect.sync(() => setModes(directory, 0o755, 0o644))
  )
const setModes = (directory: string, folder: number, file: number) => {
  if (folder === 0o755) chmodSync(directory, folder)
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) setModes(join(directory, entry.name), folder, file)
    else chmodSync(join(directory, entry.name), file)
  }
  chmodSync(directory, folder)
}

const unreachable = "not tried: the other user can read neither node nor this project"

describe("read-only data directory", () => {
  it.effect("opened to write: ArchiveReadOnly, saying what to do", (ctx) =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* archive({ a: 1 }, new Uint8Array(10)).pipe(withArchive({ directory }))
      yield* sealed(directory)
      const lines = open(directory, "writable", "")
      if (lines === null) return ctx.skip(unreachable)
      assert.strictEqual(lines[0].tag, "ArchiveReadOnly")
      assert.include(lines[0].message, "the right to write")
    })
  )

  it.effect("not there yet, in a folder that cannot be written: ArchiveReadOnly", (ctx) =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* sealed(directory)
      const lines = open(join(directory, "data"), "writable", "")
      if (lines === null) return ctx.skip(unreachable)
      assert.strictEqual(lines[0].tag, "ArchiveReadOnly")
    })
  )

  for (const state of ["closed cleanly", "in use by its owner"]) {
    it.effect(`opened to be read, ${state}: lists and reads rows and files, and refuses to write`, (ctx) =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const read = Effect.fnUntraced(function* (sha256: string, sessions: ReadonlyArray<string | null>) {
          yield* sealed(directory)
          const lines = open(directory, "readonly", sha256)
          if (lines === null) return ctx.skip(unreachable)
          const [found, end] = lines
          assert.deepStrictEqual(found.sessions, sessions)
          assert.strictEqual(found.payload.tag, "ok")
          assert.strictEqual(found.write.tag, "ArchiveReadOnly")
          assert.strictEqual(end.tag, "ok")
        })
        const large = new Uint8Array(100_000).fill(3)
        const written = yield* Effect.gen(function* () {
          const response = yield* archive({ a: 1 }, large)
          if (state !== "closed cleanly") yield* Effect.scoped(read(response.sha256 ?? "", [null]))
          return response
        }).pipe(withArchive({ directory }))
        if (state === "closed cleanly") {
          assert.deepStrictEqual(readdirSync(directory).sort(), ["provenance.sqlite", "responses"])
          yield* Effect.scoped(read(written.sha256 ?? "", ["cancelled"]))
        }
      })
    )
  }

  it.effect("opened to be read where there is no archive: an error, and nothing is made", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const failure = yield* Effect.flip(
        Effect.asVoid(ProvenanceStore).pipe(withArchive({ directory: join(directory, "absent"), readonly: true }))
      )
      assert.strictEqual(failure.reason._tag, "ArchiveUnavailable")
      assert.deepStrictEqual(readdirSync(directory), [])
    })
  )
})
