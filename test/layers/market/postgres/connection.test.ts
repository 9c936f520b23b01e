/** What the URL of a database may say, and how a real server is reached by it: users, TLS, and the remedies of what fails. */
import { writeFileSync } from "node:fs"
import { userInfo } from "node:os"
import { join } from "node:path"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Redacted, Result } from "effect"
import * as MarketStorePostgres from "../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { addressOf } from "../../../../src/layers/postgres/PostgresAddress.ts"
import { bareDatabase, postgres, sql } from "../../../support/postgres.ts"

const ca = join(import.meta.dirname, "../../../support/tls/ca.pem")
const open = (url: string) =>
  Effect.scoped(Layer.build(Layer.fresh(MarketStorePostgres.layer({ url: Redacted.make(url) }))))

/** The URL with parameters, at the host that the certificate names. */
const named = (url: string, parameters: string, host = "localhost") => `${url.replace("127.0.0.1", host)}?${parameters}`

describe("the URL of a database", () => {
  it("says what is wrong with it, and never shows the password", () => {
    const cases: ReadonlyArray<readonly [parameters: string, says: RegExp]> = [
      ["sslmode=on", /expected one of disable, allow, prefer, require, verify-ca, verify-full/],
      ["sslrootcert=/ca.pem", /needs sslmode=verify-full/],
      ["sslmode=prefer&sslrootcert=/ca.pem", /needs sslmode=verify-full/],
      ["sslmode=require&sslcert=/mine.pem", /sslcert .*not supported/],
      ["port=0", /1 to 65535/],
      ["connect_timeout=soon", /whole seconds/]
    ]
    for (const [parameters, says] of cases) {
      const found = addressOf(Redacted.make(`postgres://joe:geheim@h/d?${parameters}`))
      assert.isTrue(Result.isFailure(found), parameters)
      if (!Result.isFailure(found)) continue
      assert.match(found.failure.message, says)
      assert.notInclude(found.failure.message, "geheim")
    }
  })

  it("without a user means the user of the operating system, as psql does; without a database the one of that name", () => {
    const of = (url: string) => Result.getOrThrow(addressOf(Redacted.make(url)))
    const { username } = userInfo()
    assert.deepInclude(of("postgres://h/d"), { user: username, database: "d", port: 5432 })
    assert.deepInclude(of("postgresql:///"), { host: "localhost", user: username, database: username })
    assert.deepInclude(of("postgres://h?user=ann"), { user: "ann", database: "ann" })
    assert.deepInclude(of("postgres://h:5433/d?host=/run/pg"), { host: "/run/pg", port: 5433 })
  })

  it.live("without a user is connected as that user", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const { username } = userInfo()
      const bare = url.replace("postgres@", "")
      yield* sql(
        url,
        `do $$ begin create role "${username}" superuser login; exception when duplicate_object then null; end $$`
      )
      yield* open(bare)
      const owner = yield* sql(url, "select tableowner::text from pg_tables where tablename = 'bars'")
      assert.deepStrictEqual(owner, [[username]])
    })
  )

  it.live("sslmode: the connection is encrypted, and the certificate is checked by all that promise it", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      /** Whether a connection that the store opened was encrypted, as the server saw it. */
      yield* sql(url, "create schema if not exists seen")
      yield* sql(url, "create table seen.tls (ssl bool)")
      yield* sql(
        url,
        `create function seen.note() returns event_trigger language plpgsql as
        $$ begin insert into seen.tls select ssl from pg_stat_ssl where pid = pg_backend_pid(); end $$`
      )
      yield* sql(
        url,
        "create event trigger note on ddl_command_start when tag in ('CREATE SCHEMA') execute function seen.note()"
      )
      const encrypted = (parameters: string, host?: string) =>
        Effect.gen(function* () {
          yield* sql(url, "delete from seen.tls")
          yield* sql(url, "drop schema if exists tapestry, tapestry_app, tapestry_base cascade")
          yield* open(named(url, parameters, host))
          return (yield* sql(url, "select distinct ssl from seen.tls")).flat()
        })
      assert.deepStrictEqual(yield* encrypted("application_name=plain"), [false])
      assert.deepStrictEqual(yield* encrypted("sslmode=disable"), [false])
      assert.deepStrictEqual(yield* encrypted(`sslmode=verify-full&sslrootcert=${ca}`), [true])
      assert.deepStrictEqual(yield* encrypted(`sslmode=require&sslrootcert=${ca}`), [true])
      // The certificate is for localhost.
      assert.deepStrictEqual(yield* encrypted(`sslmode=verify-ca&sslrootcert=${ca}`, "127.0.0.1"), [true])
      const refused: ReadonlyArray<readonly [parameters: string, host: string, says: RegExp]> = [
        ["sslmode=require", "localhost", /sslrootcert=FILE/],
        ["sslmode=verify-ca", "localhost", /sslrootcert=FILE/],
        ["sslmode=verify-full", "localhost", /sslrootcert=FILE/],
        [`sslmode=verify-full&sslrootcert=${ca}`, "127.0.0.1", /sslmode=verify-ca/],
        ["sslmode=verify-full&sslrootcert=system", "localhost", /sslrootcert=FILE/]
      ]
      for (const [parameters, host, says] of refused) {
        const error = yield* Effect.flip(open(named(url, parameters, host)))
        assert.strictEqual(error.reason._tag, "StoreUnavailable", parameters)
        assert.match(error.message, says, parameters)
      }
    })
  )

  it.live("a file of authorities that is not there, or none; a server without TLS", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const nowhere = yield* Effect.flip(open(named(url, "sslmode=verify-full&sslrootcert=/nowhere.pem")))
      assert.match(nowhere.message, /nowhere\.pem cannot be read \(ENOENT\)/)
      const text = join(directory, "text.pem")
      for (const contents of ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
        writeFileSync(text, contents)
        const error = yield* Effect.flip(open(named(url, `sslmode=verify-full&sslrootcert=${text}`)))
        assert.match(error.message, /text\.pem cannot be read/)
      }
      const server = yield* postgres
      yield* sql(server.urlOf("postgres"), "alter system set ssl = off")
      server.kill()
      yield* Effect.promise(server.restart)
      const off = yield* Effect.flip(open(named(url, `sslmode=verify-full&sslrootcert=${ca}`)))
      assert.match(off.message, /ssl = on/)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
