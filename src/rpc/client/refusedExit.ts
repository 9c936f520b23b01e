import { Exit, Option, Schema } from "effect"
import { Rpc, type RpcMessage, type RpcSerialization } from "effect/rpc"
import type { BorderError } from "../contract/Border.ts"
import { TapestryRpcs } from "../contract/TapestryRpcs.ts"

type EncodedExit = RpcMessage.ResponseExitEncoded["exit"]

/**
 * The end of a call that was refused outside of it, as the server would have sent it in the connection's format: the border's
 * errors are part of every procedure's. None for a procedure that is not in the contract.
 */
export const refusedExit = (codecFor: RpcSerialization.CodecFor) => {
  const ofProcedure = (tag: string) =>
    Option.map(Option.fromNullishOr(TapestryRpcs.requests.get(tag)), (rpc) =>
      // A driver edge: what codecs give is unknown to effect's protocol, too, which has it as the holes of its messages.
      Schema.encodeUnknownOption(codecFor(Rpc.exitSchema(rpc)) as Schema.Codec<unknown, EncodedExit>)
    )
  return (tag: string, error: BorderError): Option.Option<EncodedExit> =>
    Option.flatMap(ofProcedure(tag), (encode) => encode(Exit.fail(error)))
}
