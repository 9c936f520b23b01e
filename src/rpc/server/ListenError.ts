import { Schema } from "effect"

const reasons = ["AddressInUse", "NotPermitted", "NoSuchAddress", "PathTooLong", "Failed"] as const

/** Why nobody can connect. `message` names the address and what to do. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  /** `127.0.0.1:7000`, or the path of a Unix socket. */
  address: Schema.String,
  reason: Schema.Literals(reasons),
  detail: Schema.String
}) {
  override get message(): string {
    return `cannot listen on ${this.address}: ${this.detail}`
  }

  /** Of what node says when a server cannot listen. */
  static of(address: string, cause: unknown): ListenError {
    switch (cause instanceof Error && "code" in cause ? cause.code : null) {
      case "EADDRINUSE":
        return new ListenError({
          address,
          reason: "AddressInUse",
          detail: "another process listens there; end it, or choose another port (0 takes one that is free)"
        })
      case "EACCES":
      case "EPERM":
        return new ListenError({
          address,
          reason: "NotPermitted",
          detail: "this user may not; choose a port from 1024 on, or a directory that you may write to"
        })
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
      case "EAI_AGAIN":
        return new ListenError({
          address,
          reason: "NoSuchAddress",
          detail: "this machine has no such address; 127.0.0.1 is its own"
        })
      default:
        return new ListenError({
          address,
          reason: "Failed",
          detail: cause instanceof Error ? cause.message : String(cause)
        })
    }
  }
}
