import { HttpServerResponse } from "effect/http"

/** Seconds for which a browser need not ask again. */
const maxAge = "600"

/** Says that the answer depends on who asks, beside what it says already. */
export const varies = (response: HttpServerResponse.HttpServerResponse, on: string) => {
  const vary = response.headers.vary
  return HttpServerResponse.setHeader(response, "vary", vary === undefined ? on : `${vary}, ${on}`)
}

/** Lets the page of a listed origin read the answer. The origin itself is named, never `*`. */
export const readable = (response: HttpServerResponse.HttpServerResponse, origin: string) =>
  HttpServerResponse.setHeader(response, "access-control-allow-origin", origin)

/** The answer to OPTIONS. A browser asks with it whether a page of `origin` (null: of this server) may send what it wants to. */
export const options = (request: {
  readonly allow: string
  readonly origin: string | null
  readonly requestedHeaders: string | undefined
}): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({
    status: 204,
    headers: {
      allow: request.allow,
      ...(request.origin === null
        ? {}
        : {
            "access-control-allow-methods": request.allow,
            "access-control-max-age": maxAge,
            ...(request.requestedHeaders === undefined
              ? {}
              : { "access-control-allow-headers": request.requestedHeaders })
          })
    }
  })
