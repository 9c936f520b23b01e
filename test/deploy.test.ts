/** What deploy/ has Prometheus and Grafana look at, against what a server that has worked really shows. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Yaml } from "effect/encoding"
import { PrometheusMetrics } from "effect/observability"
import { BatchProcessor } from "../src/services/BatchProcessor.ts"
import { row, StoreSwitch, withProcessor } from "./layers/batch/support.ts"
import { hostPort, serving, until } from "./programs/serving.ts"
import { json, ok, scratch, tapestry } from "./programs/tapestry.ts"

const deploy = join(dirname(dirname(fileURLToPath(import.meta.url))), "deploy")
const read = (name: string) => readFileSync(join(deploy, name), "utf8")

/** Words of PromQL, and what Prometheus itself knows of a scrape. */
const notOurs = new Set(
  "sum min max count avg rate increase changes topk histogram_quantile by and or unless on up".split(" ")
)

/** The metrics that an expression names: what is neither a label, a text, a number nor a word of the language. */
const metricsIn = (expression: string): ReadonlyArray<string> =>
  (
    expression
      .replace(/"[^"]*"/g, "")
      .replace(/\{[^}]*\}/g, "")
      .replace(/\[[^\]]*\]/g, "")
      .replace(/\b(?:by|on|without|ignoring)\s*\([^)]*\)/g, "")
      .match(/[a-zA-Z_:][\w:]*/g) ?? []
  ).filter((word) => !notOurs.has(word))

/** Of a histogram's `_bucket`, `_sum` and `_count` the name that has a type. */
const family = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, "")

interface Rules {
  readonly groups: ReadonlyArray<{
    readonly rules: ReadonlyArray<{
      readonly alert: string
      readonly expr: string
      readonly labels: Readonly<Record<string, string>>
      readonly annotations: Readonly<Record<string, string>>
    }>
  }>
}
interface Compose {
  readonly services: Readonly<
    Record<string, { readonly command?: ReadonlyArray<string>; readonly ports?: ReadonlyArray<string> }>
  >
}
interface Dashboard {
  readonly panels: ReadonlyArray<{
    readonly id: number
    readonly type: string
    readonly title: string
    readonly targets?: ReadonlyArray<{ readonly expr: string }>
  }>
}

const rules = (Yaml.parse(read("alerts.yml")) as Rules).groups.flatMap((group) => group.rules)
const { panels }: Dashboard = JSON.parse(read("grafana/tapestry.json"))
const expressions = [
  ...rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })),
  ...panels.flatMap(({ targets = [], title }) => targets.map(({ expr }) => ({ where: `panel ${title}`, expr })))
]

const csv = (last: string) => `date,open,high,low,close,volume\n2024-01-02,10,11,9,10.5,1000\n2024-01-03,${last}\n`

/** A server with two vendors that disagree, after a call of most sorts. */
const metricsOfWork = async (): Promise<string> => {
  const where = { cwd: scratch("deploy") }
  const vendor = (name: string, last: string) => {
    mkdirSync(join(where.cwd, name))
    writeFileSync(join(where.cwd, name, "acme.csv"), csv(last))
    return `  ${name}: { adapter: file, root: ${name}, path: "{symbol}.csv", timeframe: 1d, columns: { ts: date } }\n`
  }
  writeFileSync(
    join(where.cwd, "tapestry.yaml"),
    `sample: false\nvendors:\n${vendor("ours", "10,11,9,10.25,1000")}${vendor("theirs", "10,11,9,10.5,1000")}`
  )
  const server = await serving(where)
  const range = ["--timeframe", "1d", "--from", "2024-01-02", "--to", "2024-01-04"]
  json(where, 3, "reconcile", "ACME", "--vendors", "ours,theirs", ...range)
  const { code } = tapestry(where, "bars", "GONE", "--vendor", "ours", ...range)
  assert.strictEqual(code, 1)
  ok(where, "backfill", "ACME", "--vendor", "ours", ...range)
  const raw = connect(hostPort(server.tcp))
  raw.write("no message\n")
  await new Promise((resolve) => raw.once("data", resolve))
  const page = async () => (await fetch(`${server.http}/metrics`)).text()
  await until(async () => (await page()).includes("tapestry_refusals_total"))
  const text = await page()
  raw.destroy()
  server.child.kill("SIGTERM")
  assert.strictEqual((await server.end).code, 0)
  return text
}

/** A batch processor that has committed a row, refused one and had no room for one. */
const metricsOfBatches = withProcessor({ name: "deploy", capacity: 2, overflow: "fail" }, (layer) =>
  Effect.gen(function* () {
    const { offer, submit } = yield* BatchProcessor
    const store = yield* StoreSwitch
    store.poison = "b"
    yield* submit(row(0))
    assert.strictEqual((yield* Effect.flip(submit(row(1, "b")))).reason._tag, "RowPoisoned")
    store.before = Effect.never
    const full = Effect.flip(Effect.forever(offer(row(2))))
    assert.strictEqual((yield* full).reason._tag, "BufferFull")
    const text = yield* PrometheusMetrics.format()
    store.before = Effect.void
    return text
  }).pipe(Effect.provide(layer))
)

describe("deploy", () => {
  it("every metric of the alert rules and of the dashboard is found under /metrics", async () => {
    const text = (await metricsOfWork()) + (await Effect.runPromise(metricsOfBatches))
    const shown = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name))
    assert.isAbove(expressions.length, 30)
    for (const { expr, where } of expressions) {
      const named = metricsIn(expr)
      if (!/\bup\b/.test(expr)) assert.isNotEmpty(named, where)
      for (const name of named) assert.isTrue(shown.has(name) || shown.has(family(name)), `${where}: ${name}`)
    }
  }, 60_000)

  it("names of metrics are told from the rest of an expression", () => {
    assert.deepStrictEqual(metricsIn('topk(5, sum by (le, code) (rate(a_total{code="b_total"}[5m]))) > 0.5 * c:d'), [
      "a_total",
      "c:d"
    ])
  })

  it("each alert says how urgent it is, what is wrong and what to look at", () => {
    for (const { alert, annotations, labels } of rules) {
      assert.match(labels.severity ?? "", /^(?:page|ticket)$/, alert)
      assert.isAbove(annotations.summary?.length ?? 0, 20, alert)
      assert.isAbove(annotations.description?.length ?? 0, 30, alert)
    }
    assert.strictEqual(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  })

  it("the containers have settings that there are, commands that there are, and no door to other machines", () => {
    const { services } = Yaml.parse(read("docker-compose.yml")) as Compose
    const where = { cwd: scratch("compose"), env: { TAPESTRY_CONFIG: join(deploy, "tapestry.yaml") } }
    const { values } = json(where, 0, "config")
    const hosts = values.find(({ key }: { readonly key: string }) => key === "serve.allowedHosts")
    const [target = ""] = /[\w-]+(?=:7070)/.exec(read("prometheus.yml")) ?? []
    assert.include(hosts.value, target)
    assert.property(services, target)
    const lines = (services.migrate?.command ?? []).flatMap((text) => text.split("\n")).filter((line) => line !== "")
    assert.isAtLeast(lines.length, 3)
    for (const line of [...lines, `tapestry ${services.tapestry?.command?.join(" ")}`]) {
      const [program, ...words] = line.trim().split(" ")
      assert.strictEqual(program, "tapestry")
      const named = words.slice(0, words.findIndex((word) => word.startsWith("-")) >>> 0)
      assert.match(ok(where, ...words, "--help"), new RegExp(`^  tapestry ${named.join(" ")}( |$)`, "m"), line)
    }
    for (const { ports = [] } of Object.values(services)) {
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:/)
    }
    const asked = [...read("docker-compose.yml").matchAll(/\$\{(\w+)/g)].map(([, name]) => name)
    const offered = [...read(".env.example").matchAll(/^(\w+)=$/gm)].map(([, name]) => name)
    assert.deepStrictEqual([...new Set(asked)].sort(), offered.sort())
  })

  it("panels have ids and titles of their own", () => {
    assert.strictEqual(new Set(panels.map(({ id }) => id)).size, panels.length)
    assert.strictEqual(new Set(panels.map(({ title }) => title)).size, panels.length)
  })
})
