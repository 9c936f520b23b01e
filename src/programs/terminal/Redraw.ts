import { Effect, Ref, Semaphore } from "effect"
import { displayWidth } from "../format/Width.ts"
import { Output, type OutputClosed, type OutputFailed } from "./Output.ts"

const up = (lines: number): string => (lines === 0 ? "" : `\u001b[${lines}A`)
const eraseBelow = "\u001b[J"
const eraseLine = "\u001b[2K"

type Written = Effect.Effect<void, OutputClosed | OutputFailed>

export interface Redraw {
  readonly redraw: (lines: ReadonlyArray<string>) => Written
  /** Text that stays, above what is drawn. */
  readonly above: (text: string) => Written
  /** What was typed below it, such as `^C`, goes away; the next line that somebody writes stands there. */
  readonly end: Written
}

/**
 * Draws lines where those before were drawn, on a terminal that scrolls: what stood above stays. More than the terminal has room for is cut
 * off, since a cursor cannot go back to what has scrolled away. A terminal that has become narrower since has broken lines that were longer, so that they
 * take several.
 */
export const redrawing: Effect.Effect<Redraw, never, Output> = Effect.gen(function* () {
  const { terminal, write } = yield* Output
  const drawn = yield* Ref.make<ReadonlyArray<string>>([])
  const turn = yield* Semaphore.make(1)
  const rowsOf = (line: string) => Math.max(1, Math.ceil(displayWidth(line) / terminal.columns))
  const height = (lines: ReadonlyArray<string>) => lines.reduce((sum, line) => sum + rowsOf(line), 0)
  const fitting = (lines: ReadonlyArray<string>) => {
    let left = Math.max(1, terminal.rows - 1)
    return lines.filter((line) => {
      left -= rowsOf(line)
      return left >= 0
    })
  }
  const textOf = (lines: ReadonlyArray<string>) => lines.map((line) => `${eraseLine}${line}\n`).join("")
  return {
    redraw: Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
      const shown = fitting(lines)
      const before = yield* Ref.getAndSet(drawn, shown)
      yield* write(`${up(height(before))}\r${textOf(shown)}${eraseBelow}`)
    }, turn.withPermits(1)),
    above: Effect.fnUntraced(function* (text: string) {
      const shown = yield* Ref.get(drawn)
      yield* write(`${up(height(shown))}\r${eraseBelow}${text}\n${textOf(shown)}`)
    }, turn.withPermits(1)),
    end: Effect.suspend(() => write(`\r${eraseBelow}`))
  }
})
