import { Context, Exit, Option, Predicate, Result, Schema, SchemaIssue } from "effect"
import { Rpc, RpcSchema } from "effect/rpc"
import { OnShutdown } from "../contract/Border.ts"
import type { CallId } from "./decodeMessage.ts"
import type { Frame, MessageFormat } from "./MessageFormat.ts"

/** A procedure as one wire format has it. Everything is compiled when it is first used: a server starts without it. */
export interface Procedure {
  readonly tag: string
  readonly isStream: boolean
  readonly onShutdown: "finish" | "cut"
  /**
   * `encoded` is undefined when the client sent none, and came in a message of `bytes` bytes. Fails with words that name the places,
   * as `range.start: …`; of a large message the first.
   */
  readonly payload: (encoded: unknown, bytes: number) => Result.Result<unknown, string>
  /** Fails with what cannot be encoded, which is a mistake of ours. */
  readonly chunk: (requestId: CallId, values: ReadonlyArray<unknown>) => Result.Result<Frame, unknown>
  readonly exit: (requestId: CallId, exit: Exit.Exit<unknown, unknown>) => Result.Result<Frame, unknown>
  /** The exit of a call whose client wants to know no more than that it began. */
  readonly begun: (requestId: CallId) => Frame
}

/** Every mistake is looked for in messages of up to so many bytes: a megabyte holds hundreds of thousands, and takes seconds. */
const explainedBytes = 64 * 1024

export const make = (rpc: Rpc.AnyWithProps, format: MessageFormat): Procedure => {
  const values = RpcSchema.isStreamSchema(rpc.successSchema) ? rpc.successSchema.success : null
  const parseOptions = Context.get(rpc.annotations, Rpc.ParseOptions)
  const decodeWith = (errors: "first" | "all") =>
    lazily(() => Schema.decodeUnknownExit(format.codecFor(rpc.payloadSchema), { ...parseOptions, errors }))
  const decode = decodeWith("first")
  const decodeToTheEnd = decodeWith("all")
  const encodeValues = lazily(() =>
    Schema.encodeUnknownExit(format.codecFor(Schema.NonEmptyArray(values ?? Schema.Never)), parseOptions)
  )
  const encodeExit = lazily(() => Schema.encodeUnknownExit(format.codecFor(Rpc.exitSchema(rpc)), parseOptions))
  const encodeBegun = lazily(() =>
    Schema.encodeUnknownSync(format.codecFor(Schema.Exit(Schema.Void, Schema.Never, Schema.Defect())))
  )
  const decoded = (encoded: unknown, bytes: number): Result.Result<unknown, string> => {
    const exit = decode()(encoded)
    if (Exit.isSuccess(exit)) return Result.succeed(exit.value)
    const explained = bytes <= explainedBytes ? decodeToTheEnd()(encoded) : exit
    return Result.fail(
      Option.match(Exit.findErrorOption(explained), { onSome: inWords, onNone: () => "it cannot be read" })
    )
  }

  const framed = (encoded: Exit.Exit<unknown, unknown>, message: (filled: unknown) => object) =>
    Exit.isSuccess(encoded)
      ? Result.try(() => format.frame(message(encoded.value)))
      : Result.fail<unknown>(encoded.cause)

  return {
    tag: rpc._tag,
    isStream: values !== null,
    onShutdown: Context.get(rpc.annotations, OnShutdown),
    payload: (encoded, bytes) => {
      if (encoded !== undefined) {
        const given = decoded(encoded, bytes)
        if (Result.isSuccess(given) || !Predicate.isObject(encoded)) return given
        // Fields that nobody knows are ignored, also where no field is known.
        const none = Exit.getSuccess(decode()(null))
        return Option.isSome(none) ? Result.succeed(none.value) : given
      }
      // Written by hand, a request may leave out a payload of which nothing is needed.
      for (const nothing of [null, {}]) {
        const payload = Exit.getSuccess(decode()(nothing))
        if (Option.isSome(payload)) return Result.succeed(payload.value)
      }
      return Result.mapError(decoded({}, 0), (words) => `the payload is missing: ${words}`)
    },
    chunk: (requestId, values) => framed(encodeValues()(values), (values) => ({ _tag: "Chunk", requestId, values })),
    exit: (requestId, exit) => framed(encodeExit()(exit), (exit) => ({ _tag: "Exit", requestId, exit })),
    begun: (requestId) => format.frame({ _tag: "Exit", requestId, exit: encodeBegun()(Exit.void) })
  }
}

const lazily = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

const describe = SchemaIssue.makeFormatterStandardSchemaV1()
const maxPlaces = 5

/** `range.start: Expected number; series: Missing key`. */
const inWords = ({ issue }: Schema.SchemaError): string => {
  const { issues } = describe(issue)
  const places = issues.slice(0, maxPlaces).map(({ message, path }) => {
    const place = (path ?? []).map(String).join(".")
    return place === "" ? message : `${place}: ${message}`
  })
  return issues.length > maxPlaces ? `${places.join("; ")}; and ${issues.length - maxPlaces} more` : places.join("; ")
}
