import { Exit, Schema } from "effect"
import { RpcSerialization } from "effect/rpc"
import { BorderError } from "../contract/Border.ts"
import type { CallId } from "./decodeMessage.ts"
import type { WireFormat } from "./RpcHost.ts"

/** An encoded message: text as JSON lines, bytes in the binary format. */
export type Frame = string | Uint8Array

/** How messages look on the wire. */
export interface MessageFormat {
  /** Fills the holes of a message (payload, values, exit). */
  readonly codecFor: <S extends Schema.Top>(schema: S) => Schema.Codec<unknown, unknown>
  /** A message of effect's protocol whose holes are filled. */
  readonly frame: (message: object) => Frame
  /** The end of a call that the border refused or cut off, whatever its procedure. */
  readonly borderExit: (requestId: CallId, error: BorderError) => Frame
  /** A message that belongs to no call. In the binary format, which has none of these, it is text. */
  readonly alone: (error: BorderError) => string
}

const encodeBorderError = Schema.encodeSync(Schema.toCodecJson(BorderError))

const ndjsonFrame = (message: object): string => `${JSON.stringify(message)}\n`

const ndjson: MessageFormat = {
  codecFor: withoutServices(RpcSerialization.ndjson),
  frame: ndjsonFrame,
  borderExit: (requestId, error) =>
    ndjsonFrame({
      _tag: "Exit",
      requestId,
      exit: { _tag: "Failure", cause: [{ _tag: "Fail", error: encodeBorderError(error) }] }
    }),
  alone: (error) => `${JSON.stringify(encodeBorderError(error))}\n`
}

/** The codecs of the contract need no services; effect's type of them cannot say so. */
function withoutServices(serialization: RpcSerialization.RpcSerialization["Service"]): MessageFormat["codecFor"] {
  return (schema) => serialization.codecFor(schema) as Schema.Codec<unknown, unknown>
}

const makeBinary = (serialization: RpcSerialization.RpcSerialization["Service"]): MessageFormat => {
  const codecFor = withoutServices(serialization)
  const { encode } = serialization.makeUnsafe()
  const frame = (message: object): Frame => encode(message) ?? ""
  // A reader finds the members of a union by their content, so this can be read with the exit of any procedure.
  const encodeExit = Schema.encodeSync(codecFor(Schema.Exit(Schema.Never, BorderError, Schema.Defect())))
  return {
    codecFor,
    frame,
    borderExit: (requestId, error) => frame({ _tag: "Exit", requestId, exit: encodeExit(Exit.fail(error)) }),
    alone: (error) => JSON.stringify(encodeBorderError(error))
  }
}

/** `binary` is effect's schema-driven format. */
export const make = (binary: RpcSerialization.RpcSerialization["Service"]): ((format: WireFormat) => MessageFormat) => {
  let made: MessageFormat | undefined
  return (format) => {
    if (format === "ndjson") return ndjson
    made ??= makeBinary(binary)
    return made
  }
}
