/** What the driver is told of TLS: who is trusted, and what of the server's certificate is checked. */
import { X509Certificate } from "node:crypto"
import { readFile } from "node:fs/promises"
import type { ConnectionOptions } from "node:tls"
import { Effect, Predicate } from "effect"
import { InvalidPostgresUrl, type PostgresAddress } from "./PostgresAddress.ts"

const wordsOf = (cause: unknown): string =>
  Predicate.hasProperty(cause, "code") ? String(cause.code) : cause instanceof Error ? cause.message : String(cause)

/**
 * Undefined leaves it to the URL: nothing, or (`allow`, `prefer`) TLS where the server has it. All other modes check the certificate, `require`
 * too, which libpq lets pass unseen where it has no file of authorities: encryption to nobody knows whom is no protection.
 * `verify-ca` alone takes a certificate that names another host.
 */
export const tlsOf = Effect.fnUntraced(function* ({
  sslMode,
  sslRootCert
}: PostgresAddress): Effect.fn.Return<ConnectionOptions | undefined, InvalidPostgresUrl> {
  if (sslMode === "disable" || sslMode === "allow" || sslMode === "prefer") return undefined
  const trusted =
    sslRootCert === null
      ? {}
      : {
          ca: yield* Effect.tryPromise({
            try: async () => {
              const ca = await readFile(sslRootCert, "utf8")
              // Throws on what is none: OpenSSL passes over it, and the server would be blamed.
              return new X509Certificate(ca) && ca
            },
            catch: (cause) =>
              new InvalidPostgresUrl({
                message: `sslrootcert of the store's URL: ${sslRootCert} cannot be read (${wordsOf(cause)}); name the file with the certificate of the authority that signed the server's`
              })
          })
        }
  return { ...trusted, ...(sslMode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}) }
})
