import type { RpcClientError } from "effect/rpc"
import type { BorderError } from "../contract/Border.ts"

type Passing = BorderError | RpcClientError.RpcClientError

/** What a call fails with: the error of its service, or what went wrong at the border. */
export type CallError<E> = E | Passing

/** A broken connection and a server that goes down or is full are worth another try; what it cannot understand is not. */
export const isPassing = (error: Passing): boolean => {
  switch (error._tag) {
    case "RpcClientError":
      return error.reason._tag !== "RpcClientDefect"
    case "ShuttingDown":
    case "TooBusy":
      return true
    case "InternalError":
    case "ProtocolError":
    case "TenantError":
      return false
  }
}
