/**
 * A line on standard error that tells how far a long command is: shown only where standard error is a terminal and only
 * after half a second, redrawn in place, and erased at the end, however the command ends.
 */
import { Clock, Effect, Ref } from "effect"
import { duration, grouped } from "../format/Numbers.ts"
import { displayWidth } from "../format/Width.ts"
import { Output } from "./Output.ts"
import { styleOf } from "./Style.ts"

export interface Step {
  /** Units of work done, and of how many; `of` 0 where the end is not known. */
  readonly done: number
  readonly of: number
  /** Things counted on the way. */
  readonly count: number
}

export interface Progress {
  readonly report: (step: Step) => Effect.Effect<void>
}

const silent: Progress = { report: () => Effect.void }
const showAfter = "500 millis"
const redrawEvery = "150 millis"
const erase = "\r\u001b[2K"

/** `fetching SPX 1d  3/12 requests  12,000 rows  3,400 rows/s  ETA 12 s` */
export const progressLine = (
  label: string,
  units: string,
  things: string,
  step: Step,
  elapsedMillis: number
): string => {
  const rate = elapsedMillis > 0 ? (step.count * 1000) / elapsedMillis : 0
  const left = step.done > 0 && step.of > step.done ? (elapsedMillis / step.done) * (step.of - step.done) : null
  return [
    label,
    ...(step.of > 0 ? [`${grouped(step.done)}/${grouped(step.of)} ${units}`] : []),
    ...(step.of > 0 && units === things ? [] : [`${grouped(step.count)} ${things}`]),
    ...(rate >= 1 ? [`${grouped(Math.round(rate))} ${things}/s`] : []),
    ...(left === null ? [] : [`ETA ${duration(left)}`])
  ].join("  ")
}

/** Runs `use` with a progress line. `units` are what the work is divided in, `things` what is counted on the way. */
export const withProgress = <A, E, R>(
  options: { readonly label: string; readonly units: string; readonly things: string },
  use: (progress: Progress) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Output> =>
  Effect.gen(function* () {
    const { errorTerminal, noteRaw } = yield* Output
    if (!errorTerminal.isTerminal) return yield* use(silent)
    const started = yield* Clock.currentTimeMillis
    const step = yield* Ref.make<Step>({ done: 0, of: 0, count: 0 })
    const drawn = yield* Ref.make(false)
    const style = styleOf(errorTerminal)
    const draw = Effect.gen(function* () {
      const elapsed = (yield* Clock.currentTimeMillis) - started
      const line = progressLine(options.label, options.units, options.things, yield* Ref.get(step), elapsed)
      const fits = displayWidth(line) < errorTerminal.columns ? line : line.slice(0, errorTerminal.columns - 1)
      yield* Ref.set(drawn, true)
      yield* noteRaw(erase + style.dim(fits))
    })
    const drawing = Effect.andThen(
      Effect.sleep(showAfter),
      Effect.forever(Effect.andThen(draw, Effect.sleep(redrawEvery)))
    )
    return yield* Effect.scoped(
      Effect.gen(function* () {
        yield* Effect.addFinalizer(() =>
          Effect.flatMap(Ref.get(drawn), (shown) => (shown ? noteRaw(erase) : Effect.void))
        )
        yield* Effect.forkScoped(drawing)
        return yield* use({ report: (next) => Ref.set(step, next) })
      })
    )
  })
