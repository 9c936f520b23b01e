// For `node --import`: the package's own name, as the examples write it, means the sources of this checkout.
import { registerHooks } from "node:module"

const entries = new Map([
  ["tapestry", "index"],
  ["tapestry/client", "client"],
  ["tapestry/contract", "contract"],
  ["tapestry/server", "server"],
  ["tapestry/testing", "testing"]
])

registerHooks({
  resolve: (specifier, context, next) => {
    const entry = entries.get(specifier)
    return entry === undefined
      ? next(specifier, context)
      : { url: new URL(`../../src/${entry}.ts`, import.meta.url).href, shortCircuit: true }
  }
})
