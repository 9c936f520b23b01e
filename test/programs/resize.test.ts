/** A live table on a terminal that changes its size while it is shown, and what is left of it after Ctrl-C. */
import { spawn, spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { Screen } from "../support/Screen.ts"
import { ended, scratch } from "./tapestry.ts"

const bundle = join(import.meta.dirname, "../../dist/cli.mjs")
const resizedHere = "<narrower>"

/** Python's pty has a terminal of which the size can be said; with the second size the command is told, as a window does. */
const script = `
import fcntl, os, pty, signal, struct, sys, termios
def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    size(0, 30, 110)
    os.execv(sys.argv[1], sys.argv[1:])
said, phase = b"", 0
def shown():
    return said.rpartition(b"${resizedHere}")[2].count(b"BETA")
while True:
    try:
        part = os.read(fd, 4096)
    except OSError:
        break
    if not part:
        break
    said += part
    if phase == 0 and shown() >= 5:
        phase = 1
        said += b"${resizedHere}"
        size(fd, 30, 60)
        os.kill(pid, signal.SIGWINCH)
    elif phase == 1 and shown() >= 5:
        phase = 2
        os.write(fd, b"\\x03")
sys.stdout.write(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`

describe("a live table on a terminal", () => {
  it("is drawn in its place when the window becomes narrower, and Ctrl-C leaves it and nothing else", async () => {
    if (spawnSync("python3", ["-c", "import pty"]).status !== 0) {
      return console.log("skipped: a terminal (no python3 with pty)")
    }
    const where = scratch("resize")
    writeFileSync(join(where, "tapestry.yaml"), "vendors:\n  sim:\n    adapter: simulated\n    rate: 20\n")
    const command = [process.execPath, bundle, "quotes", "ALPHA", "BETA"]
    const child = spawn("python3", ["-c", script, ...command], {
      cwd: where,
      env: { PATH: process.env.PATH, HOME: where, TMPDIR: where, NO_COLOR: "1", TERM: "xterm-256color" }
    })
    const { code, stderr, stdout } = await ended(child)
    assert.strictEqual(code, 130, stdout + stderr)
    const [wide = "", narrow = "", ...more] = stdout.split(resizedHere)
    assert.deepStrictEqual(more, [])
    const screen = new Screen(110)
    screen.write(wide)
    assert.match(screen.lines()[0] ?? "", /^symbol .* last .* volume /)
    screen.narrow(60)
    assert.isAbove(screen.lines().length, 6)
    screen.write(narrow)
    const lines = screen.lines()
    assert.deepStrictEqual(
      lines.map((line) => line.split(" ")[0]),
      ["symbol", "ALPHA", "BETA", "ALPHA:", "BETA:"],
      lines.join("\n")
    )
    assert.match(lines[0] ?? "", /^symbol {2,}bid size {2,}bid {2,}ask/)
    assert.notInclude(lines[0], "volume")
  })
})
