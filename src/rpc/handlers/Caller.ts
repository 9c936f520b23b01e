import { Context } from "effect"

/** Where a call came from. Unlike its headers it is nothing that a client says. */
export interface Caller {
  readonly transport: "tcp" | "unix" | "http" | "websocket"
  /** For the log. */
  readonly peer: string
}

/** Whoever runs the calls (RpcHostLive) provides it. Null: not known, and not to be trusted for where it came from. */
export const Caller = Context.Reference<Caller | null>("tapestry/Caller", { defaultValue: () => null })
