import { Config, Effect, Option, Redacted } from "effect"
import { type HttpCredentials, noCredentials } from "../../http/HttpRequest.ts"
import type { AuthSpec } from "./HttpCatalogue.ts"

/** What a vendor is shown, or why there is nothing to show. */
export type Credentials = HttpCredentials | { readonly problem: string }

/** What a value of a header may hold, as Node sends them. */
export const headerText = /^[\t\x20-\x7e\x80-\xff]*$/

/** The parameter that holds the secret of `kind: query`. */
export const parameterOf = (auth: Pick<AuthSpec, "name">): string => auth.name ?? "apikey"

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
      return { headers: {}, query: { [parameterOf(auth)]: secret } }
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
  // A secret that comes from a file ends with a line end that is no part of it.
  const value = Option.match(secret, {
    onNone: () => "",
    onSome: (found) => Redacted.value(found).replace(/[\r\n]+$/, "")
  })
  if (value.trim() === "") {
    return { problem: `the environment variable ${auth.secret} is not set; it holds the secret` }
  }
  return (auth.kind === "bearer" || auth.kind === "header") && !headerText.test(value)
    ? {
        problem: `the environment variable ${auth.secret} holds characters that no header can have; is it the secret alone?`
      }
    : credentialsOf(auth, Redacted.make(value))
})
