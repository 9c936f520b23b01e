/**
 * docs/img: what commands look like on a terminal, as SVG. The built CLI runs in a real pseudo-terminal (tmux has it, and knows what the screen shows after all that was drawn over),
 * against `tapestry gateway-sim`; the screen with its colours becomes text in an SVG, so that it can be searched and needs no browser to make.
 *
 * Run: `npm run build && node scripts/terminal-images.ts [name...]`. Needs tmux. Times and prices differ from run to run, since the market goes on.
 */
import { execFileSync, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const cli = join(root, "dist/cli.mjs")

interface Scene {
  readonly name: string
  readonly command: string
  readonly columns: number
  readonly rows: number
  /** The screen is taken when it shows this, or when the command has ended, and then so many seconds later. */
  readonly when: RegExp
  readonly after: number
}

const scenes: ReadonlyArray<Scene> = [
  { name: "quotes", command: "quotes SPY AAPL MSFT NVDA EUR.USD", columns: 100, rows: 12, when: /SPY +\d/, after: 3 },
  { name: "depth", command: "depth SPY", columns: 60, rows: 26, when: /\d\d:\d\d:\d\d\.\d{3}Z/, after: 3 },
  { name: "portfolio", command: "portfolio", columns: 110, rows: 16, when: /\d\.\d\d/, after: 4 },
  { name: "options", command: "options SPY", columns: 100, rows: 32, when: /\d\.\d/, after: 2 },
  { name: "ibkr-status", command: "ibkr status", columns: 90, rows: 24, when: /clock/, after: 1 },
  { name: "demo", command: "demo --once", columns: 100, rows: 29, when: /none twice/, after: 0 }
]

const cell = { width: 8, height: 18, size: 13 }
const margin = 16
const font = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
const colours = {
  background: "#10141b",
  text: "#d7dce4",
  31: "#f07178",
  32: "#a5d17a",
  33: "#e6c06a",
  34: "#7aa8f0",
  35: "#c792ea",
  36: "#78c7d8"
} as const

interface Look {
  bold: boolean
  dim: boolean
  colour: string
}

const plain = (): Look => ({ bold: false, dim: false, colour: colours.text })

const changed = (look: Look, code: number): Look => {
  if (code === 0) return plain()
  if (code === 1) return { ...look, bold: true }
  if (code === 2) return { ...look, dim: true }
  if (code === 22) return { ...look, bold: false, dim: false }
  if (code === 39) return { ...look, colour: colours.text }
  return code >= 31 && code <= 36 ? { ...look, colour: colours[code as 31 | 32 | 33 | 34 | 35 | 36] } : look
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const run = (text: string, look: Look, column: number, y: number): string => {
  if (text.trim() === "") return ""
  const lead = text.length - text.trimStart().length
  const word = text.trim()
  const width = word.length * cell.width
  const weight = look.bold ? ' font-weight="bold"' : ""
  const opacity = look.dim ? ' opacity="0.6"' : ""
  return `<text x="${margin + (column + lead) * cell.width}" y="${y}" fill="${look.colour}"${weight}${opacity} textLength="${width}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">${escaped(word)}</text>`
}

/** Runs of two blanks and more stand between words of their own place, so that a font of another width moves nothing. */
const pieces = (text: string, look: Look, column: number, y: number): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const match of text.matchAll(/\S+(?: \S+)*/gu)) found.push(run(match[0], look, column + match.index, y))
  return found
}

const escape = String.fromCharCode(27)
const control = new RegExp(`${escape}\\[([\\d;]*)m`, "gu")

/** As tmux writes a screen: what holds at the end of a line holds at the beginning of the next. */
const drawn = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let look = plain()
  for (const [index, line] of lines.entries()) {
    const y = margin + index * cell.height + cell.size
    let column = 0
    let at = 0
    const write = (end: number) => {
      const text = line.slice(at, end)
      parts.push(...pieces(text, look, column, y))
      column += text.length
    }
    for (const match of line.matchAll(control)) {
      write(match.index)
      at = match.index + match[0].length
      for (const code of (match[1] ?? "").split(";")) look = changed(look, Number(code))
    }
    write(line.length)
  }
  return parts
}

const svgOf = (command: string, screen: ReadonlyArray<string>, columns: number): string => {
  const lines = [`${escape}[2m$${escape}[22m ${escape}[1mtapestry ${command}${escape}[22m`, "", ...screen]
  const width = columns * cell.width + 2 * margin
  const height = lines.length * cell.height + 2 * margin
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${font}" font-size="${cell.size}">`,
    `<title>tapestry ${escaped(command)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${colours.background}"/>`,
    ...drawn(lines),
    "</svg>",
    ""
  ].join("\n")
}

/** Waits for the line on which the gateway says where it listens. */
const startGateway = () => {
  const gateway = spawn(process.execPath, [cli, "gateway-sim", "--port", "0", "--seed", "7", "--json"], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const port = new Promise<string>((resolve, reject) => {
    gateway.stdout.once("data", (bytes: Buffer) => resolve(/:(\d+)"/.exec(bytes.toString())?.[1] ?? ""))
    gateway.once("exit", () => reject(new Error("the gateway has ended")))
  })
  return { gateway, port }
}

/** A server of its own for each: one ends with its last session, and may still be about to. */
const tmuxOf =
  (name: string) =>
  (...args: ReadonlyArray<string>): string =>
    execFileSync("tmux", ["-L", `tapestry-images-${process.pid}-${name}`, "-f", "/dev/null", ...args], {
      encoding: "utf8"
    })

const photograph = async ({ after, columns, command, name, rows, when }: Scene, port: string, home: string) => {
  const tmux = tmuxOf(name)
  const environment = `IB_PORT=${port} HOME=${home} TAPESTRY_DATA_DIR=${home}/data TERM=tmux-256color`
  const line = `cd ${home}; env ${environment} ${process.execPath} ${cli} ${command}; sleep 600`
  tmux("new-session", "-d", "-s", name, "-x", String(columns), "-y", String(rows), line)
  const screen = (...more: ReadonlyArray<string>) => tmux("capture-pane", "-p", ...more, "-t", name)
  const shown = async () => {
    for (let waited = 0; !when.test(screen()); waited++) {
      if (waited === 600) throw new Error(`${command} does not show ${when}:\n${screen()}`)
      await sleep(100)
    }
    await sleep(after * 1_000)
    return screen("-e").trimEnd().split("\n")
  }
  const lines = await shown().finally(() => tmux("kill-server"))
  writeFileSync(join(root, `docs/img/${name}.svg`), svgOf(command, lines, columns))
  console.log(`docs/img/${name}.svg`)
}

const wanted = process.argv.slice(2)
const home = mkdtempSync(join(tmpdir(), "tapestry-images-"))
const { gateway, port } = startGateway()
try {
  mkdirSync(join(root, "docs/img"), { recursive: true })
  const at = await port
  for (const scene of scenes) if (wanted.length === 0 || wanted.includes(scene.name)) await photograph(scene, at, home)
} finally {
  gateway.kill()
  rmSync(home, { recursive: true, force: true })
}
