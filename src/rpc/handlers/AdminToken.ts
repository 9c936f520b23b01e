/**
 * The token of those who may change a deployment. Of the token itself nothing is kept but its SHA-256: two hashes are as long as each
 * other whatever was presented, so that comparing them takes as long for every guess.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import { Redacted, Result, Schema } from "effect"

export interface AdminToken {
  readonly digest: Uint8Array
}

/** Why a text is no admin token. It never names the text. */
export class AdminTokenError extends Schema.TaggedError<AdminTokenError>()("AdminTokenError", {
  message: Schema.String
}) {}

/** Characters; 128 bits as hex digits. */
export const shortest = 32
/** What a header can carry after `Bearer` (RFC 6750). */
const characters = /^[A-Za-z0-9\-._~+/]+=*$/
const advice = "openssl rand -hex 32 makes one"

/** 32 bytes, whatever the text. */
export const digestOf = (text: string): Uint8Array => createHash("sha256").update(text).digest()

export const make = (token: Redacted.Redacted): Result.Result<AdminToken, AdminTokenError> => {
  const text = Redacted.value(token)
  if (text.length < shortest) {
    const message = `an admin token has at least ${shortest} characters, and this one ${text.length}; ${advice}`
    return Result.fail(new AdminTokenError({ message }))
  }
  if (!characters.test(text)) {
    const message = `an admin token has letters, digits and - . _ ~ + / (= at its end), and this one has something else; ${advice}`
    return Result.fail(new AdminTokenError({ message }))
  }
  return Result.succeed({ digest: digestOf(text) })
}

export const matches = (token: AdminToken, presented: string): boolean =>
  timingSafeEqual(digestOf(presented), token.digest)
