/**
 * Standard output and standard error as the commands see them.
 *
 * Every write waits until the operating system has taken the bytes, so that a stream of a million rows never piles up in
 * memory. A reader that has gone away (`| head`) is OutputClosed: the command stops and ends with 0, as there is nobody left
 * to tell. Notes go to standard error and never fail a command.
 */
import { Config, Context, Data, Effect, Layer, Runtime } from "effect"

/** The reader of standard output has gone away. */
export class OutputClosed extends Data.TaggedError("OutputClosed")<{ readonly message: string }> {
  override readonly [Runtime.errorExitCode] = 0
}

/** Standard output cannot be written: a full disk behind a redirection, say. */
export class OutputFailed extends Data.TaggedError("OutputFailed")<{ readonly message: string }> {}

/** As it is now: a window changes its size while something is shown in it. */
export interface Terminal {
  readonly isTerminal: boolean
  /** Columns of text; 80 where that is not known. */
  readonly columns: number
  /** Lines of text; 24 where that is not known. */
  readonly rows: number
  /** Control codes for colour may be sent: a terminal, and neither NO_COLOR nor TERM=dumb says otherwise. */
  readonly colours: boolean
}

export class Output extends Context.Service<
  Output,
  {
    readonly write: (text: string | Uint8Array) => Effect.Effect<void, OutputClosed | OutputFailed>
    readonly line: (text: string) => Effect.Effect<void, OutputClosed | OutputFailed>
    readonly lines: (texts: ReadonlyArray<string>) => Effect.Effect<void, OutputClosed | OutputFailed>
    /** One line on standard error. */
    readonly note: (text: string) => Effect.Effect<void>
    /** Text as it is on standard error: control codes of a progress line. */
    readonly noteRaw: (text: string) => Effect.Effect<void>
    readonly terminal: Terminal
    /** Done when the terminal of standard output changes its size. */
    readonly resized: Effect.Effect<void>
    readonly errorTerminal: Terminal
  }
>()("tapestry/Output") {}

const environment = Config.all({
  noColour: Config.String("NO_COLOR").pipe(Config.withDefault("")),
  term: Config.String("TERM").pipe(Config.withDefault(""))
})

const terminalOf = (stream: NodeJS.WriteStream, coloursAllowed: boolean): Terminal => ({
  isTerminal: stream.isTTY === true,
  get columns() {
    return stream.columns > 0 ? stream.columns : 80
  },
  get rows() {
    return stream.rows > 0 ? stream.rows : 24
  },
  colours: stream.isTTY === true && coloursAllowed
})

const writeTo = (stream: NodeJS.WriteStream, text: string | Uint8Array) =>
  Effect.callback<void, OutputClosed | OutputFailed>((resume) => {
    if (text.length === 0) return resume(Effect.void)
    stream.write(text, (error: NodeJS.ErrnoException | null | undefined) => {
      if (error === null || error === undefined) return resume(Effect.void)
      const gone = error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED"
      resume(
        gone
          ? new OutputClosed({ message: "the reader of standard output has gone away" })
          : new OutputFailed({ message: `standard output cannot be written: ${error.message}` })
      )
    })
  })

/** Over the process's own streams. */
export const layer: Layer.Layer<Output> = Layer.effect(
  Output,
  Effect.gen(function* () {
    const { noColour, term } = yield* Effect.orDie(environment)
    const coloursAllowed = noColour === "" && term !== "dumb"
    // A stream reports a failed write twice: to the write's callback, and as an event that ends the process unheard.
    const heard = () => {}
    process.stdout.on("error", heard)
    process.stderr.on("error", heard)
    const write = (text: string | Uint8Array) => writeTo(process.stdout, text)
    const noteRaw = (text: string) => Effect.ignore(writeTo(process.stderr, text))
    return Output.of({
      write,
      line: (text) => write(`${text}\n`),
      lines: (texts) => (texts.length === 0 ? Effect.void : write(`${texts.join("\n")}\n`)),
      note: (text) => noteRaw(`${text}\n`),
      noteRaw,
      terminal: terminalOf(process.stdout, coloursAllowed),
      resized: Effect.callback<void>((resume) => {
        const changed = () => resume(Effect.void)
        process.stdout.once("resize", changed)
        return Effect.sync(() => process.stdout.off("resize", changed))
      }),
      errorTerminal: terminalOf(process.stderr, coloursAllowed)
    })
  })
)
