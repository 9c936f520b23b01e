import { Context, Exit, Option, Result, Schema, SchemaIssue } from "effect"
import { Rpc, RpcSchema } from "effect/rpc"
import { OnShutdown } from "../contract/Border.ts"
import type { CallId } from "./decodeMessage.ts"
import type { Frame, MessageFormat } from "./MessageFormat.ts"

/** A procedure as one wire format has it. Everything is compiled when it is first used: a server starts without it. */
export interface Procedure {
  readonly tag: string
  readonly isStream: boolean
  readonly onShutdown: "finish" | "cut"
  /** `encoded` is undefined when the client sent none. Fails with words that name the place, as `range.start: …`. */
  readonly payload: (encoded: unknown) => Result.Result<unknown, string>
  /** Fails with what cannot be encoded, which is a mistake of ours. */
  readonly chunk: (requestId: CallId, values: ReadonlyArray<unknown>) => Result.Result<Frame, unknown>
  readonly exit: (requestId: CallId, exit: Exit.Exit<unknown, unknown>) => Result.Result<Frame, unknown>
  /** The exit of a call whose client wants to know no more than that it began. */
  readonly begun: (requestId: CallId) => Frame
}

export const make = (rpc: Rpc.AnyWithProps, format: MessageFormat): Procedure => {
  const values = RpcSchema.isStreamSchema(rpc.successSchema) ? rpc.successSchema.success : null
  const parseOptions = Context.get(rpc.annotations, Rpc.ParseOptions)
  const decode = lazily(() =>
    Schema.decodeUnknownExit(format.codecFor(rpc.payloadSchema), { ...parseOptions, errors: "all" })
  )
  const encodeValues = lazily(() =>
    Schema.encodeUnknownExit(format.codecFor(Schema.NonEmptyArray(values ?? Schema.Never)), parseOptions)
  )
  const encodeExit = lazily(() => Schema.encodeUnknownExit(format.codecFor(Rpc.exitSchema(rpc)), parseOptions))
  const encodeBegun = lazily(() =>
    Schema.encodeUnknownSync(format.codecFor(Schema.Exit(Schema.Void, Schema.Never, Schema.Defect())))
  )
  const decoded = (encoded: unknown): Result.Result<unknown, string> => {
    const exit = decode()(encoded)
    if (Exit.isSuccess(exit)) return Result.succeed(exit.value)
    return Result.fail(Option.match(Exit.findErrorOption(exit), { onSome: inWords, onNone: () => "it cannot be read" }))
  }

  const framed = (encoded: Exit.Exit<unknown, unknown>, message: (filled: unknown) => object) =>
    Exit.isSuccess(encoded)
      ? Result.try(() => format.frame(message(encoded.value)))
      : Result.fail<unknown>(encoded.cause)

  return {
    tag: rpc._tag,
    isStream: values !== null,
    onShutdown: Context.get(rpc.annotations, OnShutdown),
    payload: (encoded) => {
      if (encoded !== undefined) return decoded(encoded)
      // Written by hand, a request may leave out a payload of which nothing is needed.
      for (const nothing of [null, {}]) {
        const payload = Exit.getSuccess(decode()(nothing))
        if (Option.isSome(payload)) return Result.succeed(payload.value)
      }
      return Result.mapError(decoded({}), (words) => `the payload is missing: ${words}`)
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
