/**
 * Names in package-lock.json the builds for other platforms that packages offer as optional dependencies. A registry that
 * carries only this platform's builds makes `npm install` leave the others out, and `npm ci` then refuses the lock file, here
 * and everywhere else. The entries carry no integrity, since nothing was downloaded. Run it after every change of dependencies.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

interface Locked {
  readonly version?: string
  readonly dev?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const file = fileURLToPath(new URL("../package-lock.json", import.meta.url))
const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync(file, "utf8"))

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"]
const processors = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64", "wasm32"]

const platformOf = (name: string) => {
  // npm says win32 where some packages say windows.
  const build = name.slice(name.indexOf("/") + 1).replace("windows", "win32")
  const os = systems.filter((system) => build.includes(system))
  const cpu = processors.find((processor) => build.split("-").includes(processor))
  const libc = build.includes("musl") ? ["musl"] : build.includes("-gnu") ? ["glibc"] : []
  return {
    ...(os.length === 0 ? {} : { os }),
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(libc.length === 0 ? {} : { libc })
  }
}

/** Where a package at `path` looks for `name`: its own node_modules first, the top one last. */
const placesOf = (path: string, name: string): ReadonlyArray<string> => {
  const places: Array<string> = []
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("node_modules/")).replace(/\/$/, "")) {
    places.push(`${at === "" ? "" : `${at}/`}node_modules/${name}`)
    if (at === "") return places
  }
}

let added = 0
for (const [from, locked] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
    const places = placesOf(from, name)
    if (places.some((place) => lock.packages[place]?.version === version.replace(/^[~^]/, ""))) continue
    const path = places.findLast((place) => lock.packages[place] === undefined)
    if (path === undefined) continue
    const exact = /^[~^]?(\d+\.\d+\.\d+.*)$/.exec(version)?.[1]
    const platform = platformOf(name)
    if (exact === undefined || Object.keys(platform).length === 0) continue
    lock.packages[path] = {
      version: exact,
      ...(locked.dev === true ? { dev: true } : {}),
      optional: true,
      ...platform
    } as Locked
    added++
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} builds for other platforms named in package-lock.json`)
