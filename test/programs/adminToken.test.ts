/** The admin token of `tapestry serve`: where it comes from, what is refused, and that nobody sees it. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { hostPort, type Message, RawClient, serving, until } from "./serving.ts"
import { json, scratch, tapestry } from "./tapestry.ts"

const token = "0123456789abcdef0123456789abcdef"

/** The one failure of a call, down to its reason. */
const failureOf = (exit: Message["exit"]): string =>
  exit._tag === "Success" ? "none" : `${exit.cause[0].error._tag}/${exit.cause[0].error.reason?._tag}`

const asked = async (
  to: { readonly host: string; readonly port: number } | { readonly path: string },
  authorization?: string
) => {
  const client = await RawClient.open(to)
  const headers = authorization === undefined ? [] : [["authorization", authorization]]
  client.write({ _tag: "Request", id: "m", tag: "Admin.migrate", payload: null, headers })
  const exit = await client.exitOf("m")
  client.end()
  return failureOf(exit)
}

describe("tapestry serve with an admin token", () => {
  for (const [from, env] of [
    ["the environment", () => ({ TAPESTRY_ADMIN_TOKEN: token })],
    ["a file", (file: string) => ({ TAPESTRY_ADMIN_TOKEN_FILE: file })]
  ] as const) {
    it(`from ${from} lets who has it change the deployment, and nobody else`, async () => {
      const cwd = scratch("admin")
      const file = join(cwd, "token")
      writeFileSync(file, `${token}\n`, { mode: 0o600 })
      const server = await serving({ cwd, env: env(file) })
      const tcp = hostPort(server.tcp)
      assert.strictEqual(await asked(tcp), "AdminError/Unauthenticated")
      assert.strictEqual(await asked(tcp, "Bearer changeme"), "AdminError/Unauthenticated")
      assert.strictEqual(await asked(tcp, `Bearer ${token}`), "none")
      assert.strictEqual(await asked({ path: server.socket }), "none")
      server.child.kill("SIGTERM")
      const { code, stderr, stdout } = await server.end
      assert.strictEqual(code, 0, stderr)
      assert.notInclude(stderr + stdout, token)
      // Who changed something is in the log, and who was refused is in the metrics alone.
      const lines = stderr.split("\n").filter((line) => line.includes('"tapestry.admin"'))
      assert.deepStrictEqual(
        lines.map((line) => JSON.parse(line).transport),
        ["tcp", "unix"]
      )
      assert.isTrue(lines.every((line) => JSON.parse(line).procedure === "Admin.migrate"))
    })
  }

  it("takes POST /migrate and does it as a job, as curl would ask", async () => {
    const server = await serving({ cwd: scratch("admin"), env: { TAPESTRY_ADMIN_TOKEN: token } })
    const url = (path: string) => `${server.http}${path}`
    const asking = (authorization: string) => ({ method: "POST", headers: { authorization } })
    assert.strictEqual((await fetch(url("/migrate"), { method: "POST" })).status, 401)
    assert.strictEqual((await fetch(url("/migrate"), asking("Bearer changeme"))).status, 401)
    const accepted = await fetch(url("/migrate"), asking(`Bearer ${token}`))
    assert.strictEqual(accepted.status, 202)
    const location = accepted.headers.get("location") ?? ""
    let seen = ""
    await until(
      async () => {
        seen = await (await fetch(url(location))).text()
        return JSON.parse(seen).job.state === "completed"
      },
      () => seen
    )
    const version = JSON.parse(await (await fetch(url("/schema/version"))).text())
    assert.strictEqual(version.state, "current")
    assert.strictEqual(version.version, version.expected)
    const metrics = await (await fetch(url("/metrics"))).text()
    assert.match(metrics, /^http_requests_total\{method="POST",endpoint="\/migrate",status="401"\} 2$/m)
    assert.match(metrics, /^http_requests_total\{method="GET",endpoint="\/jobs\/\{id\}",status="200"\} \d+$/m)
    assert.match(metrics, new RegExp(`^migrations_applied_total ${version.expected}$`, "m"))
    server.child.kill("SIGTERM")
    const { stderr } = await server.end
    assert.notInclude(stderr, token)
    assert.match(stderr, /"message":"tapestry\.admin".*"procedure":"POST \/migrate"/)
  })

  it("is off without one, and says which setting to give", async () => {
    const server = await serving({ cwd: scratch("admin"), env: { TAPESTRY_ADMIN_TOKEN: "" } })
    const client = await RawClient.open(hostPort(server.tcp))
    const exit = await client.call("Admin.migrate")
    assert.strictEqual(failureOf(exit), "AdminError/AdminOff")
    assert.match(exit.cause[0].error.reason.message, /TAPESTRY_ADMIN_TOKEN/)
    client.end()
    assert.strictEqual(await asked({ path: server.socket }), "none")
    server.child.kill("SIGTERM")
    await server.end
  })

  it("refuses to start with one that anybody could guess, and does not show it", () => {
    const cwd = scratch("admin")
    const file = join(cwd, "token")
    writeFileSync(file, "changeme\n")
    for (const [env, message] of [
      [{ TAPESTRY_ADMIN_TOKEN: "changeme" }, /^TAPESTRY_ADMIN_TOKEN: an admin token has at least 32 characters, .* 8;/],
      [{ TAPESTRY_ADMIN_TOKEN_FILE: file }, /^TAPESTRY_ADMIN_TOKEN_FILE: an admin token has at least 32/],
      [{ TAPESTRY_ADMIN_TOKEN: `${token} ${token}` }, /^TAPESTRY_ADMIN_TOKEN: .*something else/],
      [{ TAPESTRY_ADMIN_TOKEN_FILE: join(cwd, "none") }, /^TAPESTRY_ADMIN_TOKEN_FILE=.*none: /],
      [{ TAPESTRY_ADMIN_TOKEN: token, TAPESTRY_ADMIN_TOKEN_FILE: file }, /are both set/]
    ] as const) {
      const { error } = json({ cwd, env }, 2, "serve", "--http", "off", "--tcp", "127.0.0.1:0")
      assert.match(error.message, message)
      assert.notInclude(error.message, token)
    }
  })

  it("does not appear among the settings", () => {
    const { code, stdout } = tapestry({ cwd: scratch("admin"), env: { TAPESTRY_ADMIN_TOKEN: token } }, "config")
    assert.strictEqual(code, 0)
    assert.notInclude(stdout, token)
    assert.match(stdout, /serve\.adminToken +environment +set/)
  })
})
