/** The demo that ends by serving: what it says can be pasted into a shell, and nothing stays behind. */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { until, watched } from "./serving.ts"
import { scratch } from "./tapestry.ts"

const root = join(import.meta.dirname, "../..")

/** The commands of the demo, once it has said them all. */
const commandsOf = async (demo: ReturnType<typeof watched>): Promise<ReadonlyArray<string>> => {
  await until(() => demo.stdout().includes("Ctrl-C ends it"), demo.stderr)
  const said = demo.stdout()
  return said
    .slice(said.indexOf("Try it yourself"))
    .split("\n")
    .flatMap((line) => (line.startsWith("  ") ? [line.trim()] : []))
}

/** Runs a command as somebody who pastes it into a shell, where `node` is this one. */
const pasted = (cwd: string, line: string) => {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
  const run = spawnSync("sh", ["-c", line], { cwd, env: { PATH, HOME: cwd }, encoding: "utf8", timeout: 20_000 })
  assert.strictEqual(run.status, 0, `${line}\n${run.stdout}${run.stderr}`)
  return run.stdout
}

const hasCurl = spawnSync("curl", ["--version"]).status === 0
if (!hasCurl) console.log("skipped: 3 commands of the demo (there is no curl here)")

describe("demo without --once", () => {
  it("serves, says commands that work when they are pasted, and ends with 0 on Ctrl-C", async () => {
    const temporary = scratch("demo-serving")
    // In the checkout, where the examples are; with an environment of its own all the same.
    const demo = watched({ cwd: root, env: { TMPDIR: temporary, HOME: temporary } }, "demo", "--live", "0")
    const commands = await commandsOf(demo)
    const outcome = new Map(
      commands.filter((line) => hasCurl || !line.startsWith("curl")).map((line) => [line, pasted(root, line)])
    )
    const of = (pattern: RegExp) => [...outcome].find(([line]) => pattern.test(line))?.[1] ?? ""
    if (hasCurl) {
      assert.match(of(/healthz/), /"alive":true/)
      assert.match(of(/\/rpc/), /"_tag":"Exit".*"Success".*"procedures":\[/)
      assert.match(of(/metrics/), /^tapestry_rows_committed_total 252$/m)
    }
    assert.match(of(/raw-tcp/), /Success 252 bars, the last closes at/)
    assert.match(of(/ bars SPX /), /504 rows of SPX 1d: 252 from the store, 252 from sample in 1 request/)
    assert.match(of(/ doctor /), /ok +owner +process \d+/)
    demo.child.kill("SIGINT")
    const run = await demo.end
    assert.strictEqual(run.code, 0, run.stderr)
    assert.deepStrictEqual(readdirSync(temporary), [])
  })

  it("takes free ports where the usual ones are taken", async () => {
    const [first, second] = ["a", "b"].map((name) =>
      watched({ cwd: scratch(`demo-ports-${name}`) }, "demo", "--live", "0")
    )
    assert.isDefined(first)
    assert.isDefined(second)
    const urls = await Promise.all(
      [first, second].map(async (demo) => /http:\/\/[^/]+/.exec((await commandsOf(demo)).join("\n"))?.[0])
    )
    assert.strictEqual(new Set(urls).size, 2)
    for (const demo of [first, second]) demo.child.kill("SIGTERM")
    for (const demo of [first, second]) assert.strictEqual((await demo.end).code, 0)
  })
})
