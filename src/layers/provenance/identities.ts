/** What is asked, stored once: its hash is over the identity as given, its text is kept redacted. */
import { Result, type Schema } from "effect"
import { canonicalJson, identityText } from "../../domain/CanonicalJson.ts"
import type { RequestIdentity } from "../../domain/Request.ts"
import type { SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { sha256Hex } from "./digest.ts"
import type { Redaction } from "./redact.ts"

/** Hashes by identity object: one call asks for the same one when it looks up, when it opens and when it records. */
const hashes = new WeakMap<RequestIdentity, string>()

/** 64 hex digits, or why the identity has no canonical form. */
export const identityHash = (identity: RequestIdentity): Result.Result<string, string> => {
  const known = hashes.get(identity)
  if (known !== undefined) return Result.succeed(known)
  return Result.map(identityText(identity), (text) => {
    const hash = sha256Hex(text)
    hashes.set(identity, hash)
    return hash
  })
}

/** An identity that was hashed has a canonical form, and redaction does not take it away. */
const storedJson = (value: Schema.Json, redaction: Redaction): string =>
  Result.getOrElse(canonicalJson(redaction.json(value)), () => "null")

/** The row of an identity, made when it is new. */
export const identityRow = (
  db: SyncDatabase,
  hash: string,
  identity: RequestIdentity,
  redaction: Redaction
): number => {
  const sha256 = Buffer.from(hash, "hex")
  const found = db.prepare("select id from identities where sha256 = ?").get(sha256)
  if (found !== undefined) return Number(found[0])
  return db
    .prepare(
      `insert into identities (sha256, source, kind, method, params_json, body_json, bucket, cache_tag)
       values (?, ?, ?, ?, ?, ?, ?, ?)`
    )
    .run(
      sha256,
      identity.source,
      identity.kind,
      identity.method,
      storedJson(identity.params, redaction),
      storedJson(identity.body, redaction),
      identity.bucket,
      identity.cacheTag
    ).lastInsertRowid
}

/** The row of a series by its canonical text, made when it is new. */
export const seriesRow = (db: SyncDatabase, key: string): number => {
  const found = db.prepare("select id from series where key = ?").get(key)
  return found === undefined
    ? db.prepare("insert into series (key) values (?)").run(key).lastInsertRowid
    : Number(found[0])
}
