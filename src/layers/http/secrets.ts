/**
 * Takes the values of credentials out of text that a server wrote (a Location that repeats the query, a header, an error of the
 * network), in the spellings that a URL gives them. The redaction of the archive goes by names; this goes by values.
 */
import { Redacted } from "effect"
import { redacted } from "../provenance/redact.ts"
import type { HttpCredentials } from "./HttpRequest.ts"

export interface Secrets {
  readonly scrub: (text: string) => string
  readonly occursIn: (text: string) => boolean
}

const spellings = (value: string): ReadonlyArray<string> => {
  // `Bearer x` and `Basic x`: the second word alone is as good as the whole.
  const bare = value.slice(value.indexOf(" ") + 1)
  const encoded = [value, bare].flatMap((text) => [
    encodeURIComponent(text),
    new URLSearchParams({ "": text }).toString().slice(1)
  ])
  // Some servers write the digits of an escape in lower case.
  const lower = encoded.map((text) => text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()))
  const forms = [value, bare, ...encoded, ...lower]
  return forms.filter((form) => form !== "")
}

export const secretsOf = ({ headers, query }: HttpCredentials): Secrets => {
  const values = [...Object.values(headers), ...Object.values(query)].map(Redacted.value)
  // Longest first, or a part of a secret would be replaced and the rest left standing.
  const forms = [...new Set(values.flatMap(spellings))].sort((a, b) => b.length - a.length)
  return {
    scrub: (text) => forms.reduce((clean, form) => clean.replaceAll(form, redacted), text),
    occursIn: (text) => forms.some((form) => text.includes(form))
  }
}
