import { Config, Effect, Option, Redacted } from "effect"
import { type HttpCredentials, noCredentials } from "../../http/HttpRequest.ts"
import type { AuthSpec } from "./HttpCatalogue.ts"

/** What a vendor is shown, or which variable is not set. */
export type Credentials = HttpCredentials | { readonly missing: string }

const credentialsOf = (auth: AuthSpec, secret: Redacted.Redacted<string>): HttpCredentials => {
  const value = Redacted.value(secret)
  switch (auth.kind) {
    case "bearer":
      return { headers: { authorization: Redacted.make(`Bearer ${value}`) }, query: {} }
    case "basic": {
      const pair = Buffer.from(`${auth.user ?? ""}:${value}`).toString("base64")
      return { headers: { authorization: Redacted.make(`Basic ${pair}`) }, query: {} }
    }
    case "header":
      return { headers: { [auth.name ?? "x-api-key"]: secret }, query: {} }
    case "query":
      return { headers: {}, query: { [auth.name ?? "apikey"]: secret } }
  }
}

/**
 * Reads the secret where the configuration says it is. A variable that is not set is no reason not to have the vendor: what is
 * stored of it can be read without.
 */
export const read = Effect.fnUntraced(function* (auth: AuthSpec | null): Effect.fn.Return<Credentials> {
  if (auth === null) return noCredentials
  const secret = yield* Config.option(Config.Redacted(auth.secret)).pipe(
    Effect.orElseSucceed(() => Option.none<Redacted.Redacted<string>>())
  )
  return Option.match(secret, {
    onNone: (): Credentials => ({ missing: auth.secret }),
    onSome: (value): Credentials =>
      Redacted.value(value).trim() === "" ? { missing: auth.secret } : credentialsOf(auth, value)
  })
})
