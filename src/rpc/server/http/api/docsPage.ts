/**
 * GET /docs: what /openapi.json describes, for people. One page without scripts, fonts or anything that is elsewhere, so that it works where there
 * is no network, and with forms that ask.
 */
import type { OpenApi } from "effect/http-api"

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? { ...value } : {})
const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])
const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #59636e; --line: #d1d9e0; --paper: #fff; --wash: #f6f8fa; --get: #0a5c36; --post: #8a4600; --link: #0957b0 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9198a1; --line: #3d444d; --paper: #0d1117; --wash: #151b23; --get: #57ab7a; --post: #d9964a; --link: #6cb0ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main, header { max-width: 60rem; margin: 0 auto; padding: 1rem }
header { padding-top: 2rem }
h1 { font-size: 1.6rem; margin: 0 0 .25rem }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .25rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line) }
p { margin: .25rem 0 .75rem } .dim { color: var(--dim) }
a { color: var(--link) }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin-top: .75rem }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; background: var(--paper) }
summary { padding: .6rem .75rem; cursor: pointer; display: flex; gap: .25rem .75rem; align-items: baseline; list-style: none } summary .dim { flex: 1; min-width: 0 }
summary::-webkit-details-marker { display: none }
summary::after { content: "+"; margin-left: auto; color: var(--dim) } details[open] > summary::after { content: "\\2212" }
summary:hover { background: var(--wash) }
details[open] > summary { border-bottom: 1px solid var(--line) }
summary:focus-visible, a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
.method { font: 600 .8rem ui-monospace, monospace; min-width: 3.2rem; color: var(--get) } .POST { color: var(--post) }
code { font: .9rem ui-monospace, monospace; overflow-wrap: anywhere } summary code { font-weight: 600 }
.body { padding: .75rem }
h3 { font-size: .95rem; margin: 1rem 0 .35rem }
dl { margin: 0; display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .35rem 1rem }
dt, dd { margin: 0; min-width: 0 } dt { max-width: 16rem } dd { color: var(--dim); overflow-wrap: anywhere }
form { display: grid; gap: .6rem; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); align-items: start; margin: .5rem 0 }
label { display: block } label span { display: block; font: .9rem/1.4 ui-monospace, monospace; margin-bottom: .25rem } label small { color: var(--dim); display: block; line-height: 1.35; margin-top: .2rem }
input, select, button { font: inherit; width: 100%; padding: .4rem .5rem; min-height: 2.5rem; border: 1px solid var(--dim); border-radius: 6px; background: var(--paper); color: var(--ink) }
button { background: var(--link); color: var(--paper); border-color: var(--link); font-weight: 600; cursor: pointer } label ~ button { margin-top: 1.51rem }
@media (max-width: 30rem) { dl { grid-template-columns: minmax(3rem, auto) 1fr } label ~ button { margin-top: 0 } }
@media (max-width: 40rem) { summary { flex-wrap: wrap } summary .dim { flex-basis: 100%; order: 1 } }
`

/** Descriptions and choices may stand at the parameter, at its schema, or in one of several that it may have. */
const parameterOf = (raw: unknown) => {
  const parameter = fieldsOf(raw)
  const schema = fieldsOf(parameter.schema)
  const variants = [schema, ...listOf(schema.anyOf).map(fieldsOf), ...listOf(schema.allOf).map(fieldsOf)]
  const found = (key: string) => variants.map((variant) => variant[key]).find((value) => value !== undefined)
  return {
    name: textOf(parameter.name),
    place: textOf(parameter.in),
    required: parameter.required === true,
    description: textOf(parameter.description) || textOf(found("description")),
    choices: listOf(found("enum")).map(String),
    type: textOf(found("type")),
    usual: found("default")
  }
}
type Parameter = ReturnType<typeof parameterOf>

const control = ({ choices, name, required, type, usual }: Parameter): string => {
  const hint = usual === undefined ? "" : ` placeholder="${escaped(String(usual))}"`
  const needed = required ? " required" : ""
  if (choices.length === 0) {
    const kind = type === "integer" ? ' inputmode="numeric"' : ""
    return `<input name="${escaped(name)}" autocomplete="off"${kind}${hint}${needed}>`
  }
  const options = choices.map((choice) => `<option>${escaped(choice)}</option>`).join("")
  return `<select name="${escaped(name)}"${needed}>${required ? "" : '<option value=""></option>'}${options}</select>`
}

const form = (path: string, parameters: ReadonlyArray<Parameter>): string =>
  `<form action="${escaped(path)}" method="get" target="_blank">${parameters
    .map(
      (parameter) =>
        `<label><span>${escaped(parameter.name)}${parameter.required ? " *" : ""}</span>${control(parameter)}<small>${escaped(parameter.description)}</small></label>`
    )
    .join("")}<button>Ask</button></form>`

const list = (entries: ReadonlyArray<readonly [string, string]>): string =>
  entries.length === 0
    ? ""
    : `<dl>${entries.map(([term, text]) => `<dt><code>${escaped(term)}</code></dt><dd>${escaped(text)}</dd>`).join("")}</dl>`

const problemType = "application/problem+json"

/** One line for each status, but one for all that are told by problem details: what they are is in these. */
const answersOf = (operation: Fields): ReadonlyArray<readonly [string, string]> => {
  const answers = Object.entries(fieldsOf(operation.responses)).map(([status, response]) => {
    const { content, description } = fieldsOf(response)
    return { status, types: Object.keys(fieldsOf(content)).join(", "), words: textOf(description) }
  })
  const problems = answers.filter(({ types }) => types === problemType)
  return [
    ...answers
      .filter(({ types }) => types !== problemType)
      .map(({ status, types, words }): readonly [string, string] => [
        status,
        [words, types].filter((text) => text !== "").join("; ")
      ]),
    ...(problems.length === 0
      ? []
      : [[problems.map(({ status }) => status).join(" "), `What went wrong; ${problemType}`] as const])
  ]
}

const section = (path: string, method: string, operation: Fields): string => {
  const parameters = listOf(operation.parameters).map(parameterOf)
  const asked = method === "get" && parameters.every(({ place }) => place === "query")
  const upgraded = Object.hasOwn(fieldsOf(operation.responses), "101")
  const described = parameters.map(({ description, name, required }): readonly [string, string] => [
    `${name}${required ? " *" : ""}`,
    description
  ])
  return [
    `<details id="${escaped(textOf(operation.operationId))}"><summary><span class="method ${method.toUpperCase()}">${method.toUpperCase()}</span><code>${escaped(path)}</code><span class="dim">${escaped(textOf(operation.summary))}</span></summary><div class="body">`,
    operation.description === undefined ? "" : `<p>${escaped(textOf(operation.description))}</p>`,
    asked && !upgraded
      ? form(path, parameters)
      : parameters.length === 0
        ? ""
        : `<h3>Parameters</h3>${list(described)}`,
    `<h3>Answers</h3>${list(answersOf(operation))}</div></details>`
  ].join("")
}

/** The page for a description. */
export const docsPage = (spec: OpenApi.OpenAPISpec): string => {
  const operations = Object.entries(fieldsOf(spec.paths)).flatMap(([path, item]) =>
    Object.entries(fieldsOf(item)).map(([method, operation]) => ({ path, method, operation: fieldsOf(operation) }))
  )
  const tags = spec.tags.map(({ description, name }) => ({
    name,
    description: description ?? "",
    html: operations
      .filter(({ operation }) => listOf(operation.tags).includes(name))
      .map(({ method, operation, path }) => section(path, method, operation))
      .join("")
  }))
  const titled = (name: string) => (name === "rpc" ? "RPC" : name.charAt(0).toUpperCase() + name.slice(1))
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(spec.info.title)}: the API</title><link rel="icon" href="data:,"><style>${style}</style></head><body>
<header><h1>${escaped(spec.info.title)}: the API</h1><p class="dim">${escaped(spec.info.description ?? "")}</p>
<nav aria-label="Sections">${tags.map(({ name }) => `<a href="#${escaped(name)}">${escaped(titled(name))}</a>`).join("")}<a href="/openapi.json">openapi.json</a></nav></header>
<main>${tags
    .map(
      ({ description, html, name }) =>
        `<section aria-labelledby="${escaped(name)}"><h2 id="${escaped(name)}">${escaped(titled(name))}</h2><p class="dim">${escaped(description)}</p>${html}</section>`
    )
    .join("")}</main></body></html>
`
}
