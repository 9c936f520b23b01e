import { Effect, Ref } from "effect"
import { Output } from "./Output.ts"

const up = (lines: number): string => (lines === 0 ? "" : `\u001b[${lines}A`)
const eraseBelow = "\u001b[J"
const eraseLine = "\u001b[2K"

/**
 * Draws lines where those before were drawn, on a terminal that scrolls: what stood above stays. More lines than the terminal has are cut
 * off, since a cursor cannot go back to what has scrolled away.
 */
export const redrawing = Effect.gen(function* () {
  const { terminal, write } = yield* Output
  const drawn = yield* Ref.make(0)
  return Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
    const shown = lines.slice(0, Math.max(1, terminal.rows - 1))
    const before = yield* Ref.getAndSet(drawn, shown.length)
    const text = shown.map((line) => `${eraseLine}${line}\n`).join("")
    yield* write(`${up(before)}\r${text}${shown.length < before ? eraseBelow : ""}`)
  })
})
