import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, FileSystem, Layer, References, Stream } from "effect"
import { defaults } from "../../../src/layers/config/TapestryConfig.ts"
import { backup } from "../../../src/layers/maintenance/backup.ts"
import { restore } from "../../../src/layers/maintenance/restore.ts"
import * as OwnerLock from "../../../src/layers/owner/OwnerLock.ts"
import * as Tapestry from "../../../src/layers/Tapestry.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { between, layer, seriesOf, World } from "../../rpc/handlers/world.ts"
import { archive, noise, withArchive } from "../provenance/archive.ts"
import { platform, temporaryDirectory } from "../provenance/temporary.ts"

const product = "test"
const child = fileURLToPath(new URL("./backupChild.ts", import.meta.url))
const march = between("2024-03-04", "2024-03-08")

/** A flipped byte in the middle of a file. */
const flip = (path: string): void => {
  const bytes = readFileSync(path)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

const openAgain = <A, E>(
  dataDir: string,
  use: Effect.Effect<A, E, MarketStore | ProvenanceStore>
): Effect.Effect<A, unknown> =>
  use.pipe(
    Effect.provide(Tapestry.layerReadonly({ dataDir, config: { ...defaults, dataDir } })),
    Effect.provide(platform)
  )

const verified = Effect.gen(function* () {
  const store = yield* ProvenanceStore
  assert.deepStrictEqual(yield* Stream.runCollect(store.verify(() => Effect.void)), [])
  return yield* store.stats
})

describe("backup", () => {
  it.live(
    "C12 taken while answers are fetched, it is of one instant: restored, it verifies, and each row leads to its bytes",
    () =>
      Effect.gen(function* () {
        const cache = yield* StitchingCache
        const { dataDir } = yield* World
        const base = yield* temporaryDirectory
        const first = seriesOf("ALPHA", "1h")
        yield* cache.read({ series: first, range: march })
        const writing = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: 40 }, (_, index) => index),
            (index) =>
              cache.read({
                series: seriesOf("BETA", "1m"),
                range: { start: march.start + index * 43_200_000, end: march.start + (index + 1) * 43_200_000 },
                policy: "force"
              }),
            { discard: true }
          )
        )
        const directory = join(base, "backup")
        for (const round of [1, 2, 3]) {
          const made = yield* backup({ dataDir, directory, product })
          assert.lengthOf(made.databases, 3)
          const target = join(base, `restored-${round}`)
          yield* restore({ directory, dataDir: target, overwrite: false })
          yield* openAgain(
            target,
            Effect.gen(function* () {
              yield* verified
              const market = yield* MarketStore
              const store = yield* ProvenanceStore
              for (const id of new Set(yield* Stream.runCollect(market.referencedResponses))) yield* store.response(id)
            })
          )
        }
        yield* Fiber.join(writing)
        yield* backup({ dataDir, directory, product })
        const target = join(base, "last")
        yield* restore({ directory, dataDir: target, overwrite: false })
        const here = yield* Stream.runCollect((yield* MarketStore).bars(seriesOf("BETA", "1m"), march))
        const there = yield* openAgain(
          target,
          MarketStore.use((market) => Stream.runCollect(market.bars(seriesOf("BETA", "1m"), march)))
        )
        assert.isAbove(here.length, 5_000)
        assert.deepStrictEqual(there, here)
      }).pipe(Effect.provide(layer()), Effect.provide(platform)),
    120_000
  )

  it.live(
    "C12 what is there is refused without --overwrite, and damage anywhere is found before anything appears",
    () =>
      Effect.gen(function* () {
        const base = yield* temporaryDirectory
        const [dataDir, directory, target] = [join(base, "data"), join(base, "backup"), join(base, "target")]
        yield* Effect.forEach([1, 2, 3], (seed) => archive({ seed }, noise(80_000, seed))).pipe(
          withArchive({ directory: dataDir })
        )
        yield* backup({ dataDir, directory, product })
        yield* restore({ directory, dataDir: target, overwrite: false })
        const refused = yield* Effect.flip(restore({ directory, dataDir: target, overwrite: false }))
        assert.include(refused.message, "--overwrite")
        assert.include((yield* Effect.flip(backup({ dataDir, directory: target, product }))).message, "is of no backup")
        const unfinished = yield* Effect.flip(
          restore({ directory: dataDir, dataDir: join(base, "x"), overwrite: false })
        )
        assert.include(unfinished.message, "manifest.json")
        for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
          if (!/\.(sqlite|bin|zst)$/.test(name)) continue
          const path = join(directory, name)
          const whole = readFileSync(path)
          flip(path)
          const failure = yield* Effect.flip(restore({ directory, dataDir: target, overwrite: true }))
          assert.include(failure.message, name)
          assert.include(failure.message, "is damaged")
          writeFileSync(path, whole)
          assert.deepStrictEqual(readdirSync(base).sort(), ["backup", "data", "target"])
        }
        assert.strictEqual((yield* verified.pipe(withArchive({ directory: target }))).payloads, 3)
      }).pipe(Effect.provide(platform))
  )

  it.live(
    "C12 a restore that cannot take the name puts back what was there, and one that finds an owner at its end replaces nothing",
    () =>
      Effect.gen(function* () {
        const base = yield* temporaryDirectory
        const [dataDir, directory] = [join(base, "data"), join(base, "backup")]
        const add = (seed: number) => archive({ seed }, noise(80_000, seed)).pipe(withArchive({ directory: dataDir }))
        yield* add(1)
        yield* backup({ dataDir, directory, product })
        yield* add(2)
        const fs = yield* FileSystem.FileSystem
        const whole = Effect.gen(function* () {
          assert.deepStrictEqual(readdirSync(base).sort(), ["backup", "data"])
          assert.strictEqual((yield* verified.pipe(withArchive({ directory: dataDir }))).payloads, 2)
        })
        const again = restore({ directory, dataDir, overwrite: true })
        const failure = yield* Effect.flip(
          Effect.provideService(again, FileSystem.FileSystem, {
            ...fs,
            rename: (from, to) =>
              from.endsWith(".restoring") && to === dataDir ? fs.rename(`${from}-gone`, to) : fs.rename(from, to)
          })
        )
        assert.include(failure.message, "the restore failed")
        yield* whole
        const owned = yield* Effect.scoped(
          Effect.gen(function* () {
            const scope = yield* Effect.scope
            const owner = Layer.buildWithScope(OwnerLock.layer({ dataDir, product }), scope)
            let begun = false
            return yield* Effect.flip(
              Effect.provideService(again, FileSystem.FileSystem, {
                ...fs,
                copyFile: (from, to) =>
                  Effect.andThen(
                    Effect.suspend(() => {
                      if (begun) return Effect.void
                      begun = true
                      return Effect.orDie(Effect.asVoid(Effect.provide(owner, platform)))
                    }),
                    fs.copyFile(from, to)
                  )
              })
            )
          })
        )
        assert.include(owned.message, "is in use")
        yield* whole
      }).pipe(Effect.provide(platform))
  )

  it.live(
    "C12 a second restore to the same place is refused while the first runs, in this process and in another, which takes nothing from it",
    () =>
      Effect.gen(function* () {
        const base = yield* temporaryDirectory
        const [dataDir, directory, target] = [join(base, "data"), join(base, "backup"), join(base, "target")]
        yield* Effect.forEach([1, 2], (seed) => archive({ seed }, noise(80_000, seed))).pipe(
          withArchive({ directory: dataDir })
        )
        yield* backup({ dataDir, directory, product })
        const fs = yield* FileSystem.FileSystem
        const begun = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        const first = yield* restore({ directory, dataDir: target, overwrite: false }).pipe(
          Effect.provideService(FileSystem.FileSystem, {
            ...fs,
            copyFile: (from, to) =>
              fs
                .copyFile(from, to)
                .pipe(Effect.andThen(Deferred.succeed(begun, undefined)), Effect.andThen(Deferred.await(go)))
          }),
          Effect.forkChild
        )
        yield* Deferred.await(begun)
        const here = yield* Effect.flip(restore({ directory, dataDir: target, overwrite: true }))
        assert.include(here.message, "another restore")
        const there = spawnSync(process.execPath, [child, "restore", target, directory, "0"], { encoding: "utf8" })
        assert.notStrictEqual(there.status, 0)
        assert.include(there.stderr, "another restore")
        yield* Deferred.succeed(go, undefined)
        const { setAside } = yield* Fiber.join(first)
        assert.deepStrictEqual(setAside, [])
        assert.deepStrictEqual(readdirSync(base).sort(), ["backup", "data", "target"])
        assert.strictEqual((yield* verified.pipe(withArchive({ directory: target }))).payloads, 2)
        assert.notInclude(readdirSync(target), "restoring")
      }).pipe(Effect.provide(platform)),
    60_000
  )

  it.live("C12 what can neither take the name nor be put back is named", () =>
    Effect.gen(function* () {
      const base = yield* temporaryDirectory
      const [dataDir, directory] = [join(base, "data"), join(base, "backup")]
      yield* archive({ seed: 1 }, noise(80_000, 1)).pipe(withArchive({ directory: dataDir }))
      yield* backup({ dataDir, directory, product })
      const fs = yield* FileSystem.FileSystem
      const failure = yield* Effect.flip(
        Effect.provideService(restore({ directory, dataDir, overwrite: true }), FileSystem.FileSystem, {
          ...fs,
          rename: (from, to) => (to === dataDir ? fs.rename(`${from}-gone`, to) : fs.rename(from, to))
        })
      )
      const aside = join(base, `data.replaced-${process.pid}`)
      assert.include(failure.message, `it is whole in ${aside}; rename it to ${dataDir}`)
      assert.strictEqual((yield* verified.pipe(withArchive({ directory: aside, readonly: true }))).payloads, 1)
      const { setAside } = yield* restore({ directory, dataDir, overwrite: true })
      assert.deepStrictEqual(setAside, [aside])
    }).pipe(Effect.provide(platform))
  )

  it.live(
    "C12 killed at every step, a backup leaves the one before whole, and a restore what was or what is to be",
    () =>
      Effect.gen(function* () {
        const base = yield* temporaryDirectory
        const cache = yield* temporaryDirectory
        const [dataDir, directory, target] = [join(base, "data"), join(base, "backup"), join(base, "target")]
        const add = (seed: number) => archive({ seed }, noise(70_000, seed)).pipe(withArchive({ directory: dataDir }))
        yield* add(1)
        yield* backup({ dataDir, directory, product })
        yield* restore({ directory, dataDir: target, overwrite: false })
        yield* add(2)
        yield* add(3)
        const run = (what: string, where: string, visit: number) =>
          spawnSync(process.execPath, [child, what, where, directory, String(visit)], {
            env: { NODE_COMPILE_CACHE: cache },
            encoding: "utf8"
          })
        let kills = 0
        for (let visit = 1; ; visit++) {
          const { signal, stderr } = run("backup", dataDir, visit)
          const probe = join(base, `probe-${visit}`)
          yield* restore({ directory, dataDir: probe, overwrite: false })
          const { payloads } = yield* verified.pipe(withArchive({ directory: probe }))
          assert.isTrue(payloads === 1 || payloads === 3, `${payloads} after kill ${visit}`)
          if (signal === null) {
            assert.strictEqual(stderr, "")
            assert.strictEqual(payloads, 3)
            break
          }
          kills++
        }
        /** What is left beside the place, and was never named. */
        let between = 0
        for (let visit = 1; ; visit++) {
          const { pid, signal, stderr, stdout } = run("restore", target, visit)
          const asides = readdirSync(base).filter((name) => name.startsWith("target.replaced-"))
          // Between the two names there is nothing at the place itself, and the next restore goes through.
          if (existsSync(target)) {
            const { payloads } = yield* verified.pipe(withArchive({ directory: target, readonly: true }))
            assert.isTrue(payloads === 1 || payloads === 3, `${payloads} after kill ${visit}`)
          } else {
            between++
            const directory = join(base, `target.replaced-${pid}`)
            const { payloads } = yield* verified.pipe(withArchive({ directory, readonly: true }))
            assert.isTrue(payloads === 1 || payloads === 3, `${payloads} set aside by kill ${visit}`)
          }
          if (signal === null) {
            assert.strictEqual(stderr, "")
            assert.isAbove(asides.length, 0)
            assert.deepStrictEqual(
              stdout.trim().split("\n"),
              asides.map((name) => join(base, name)),
              "what killed restores have set aside is named"
            )
            assert.deepStrictEqual(
              readdirSync(base).filter((name) => name.startsWith("target.") && !asides.includes(name)),
              []
            )
            assert.notInclude(readdirSync(target), "restoring")
            break
          }
          kills++
        }
        assert.strictEqual(between, 1)
        assert.strictEqual((yield* verified.pipe(withArchive({ directory: target }))).payloads, 3)
        assert.isAbove(kills, 8)
      }).pipe(Effect.provide(platform), Effect.provideService(References.MinimumLogLevel, "Warn")),
    120_000
  )
})
