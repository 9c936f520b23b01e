import { Context, type Effect, type Scope } from "effect"
import type { BorderError, ProtocolErrorCode } from "../contract/Border.ts"

/** The wire formats: JSON lines (TCP, Unix socket, HTTP), and effect's schema-driven binary frames (WebSocket). */
export type WireFormat = "ndjson" | "binary"

/** What a transport gives to the host for one connection. */
export interface Transport {
  readonly kind: "tcp" | "unix" | "http" | "websocket"
  /** For the log. */
  readonly peer: string
  readonly format: WireFormat
  /**
   * Whether the client says when it has taken a chunk. Where it does not (HTTP), a chunk counts as taken when `write` is done.
   */
  readonly acknowledges: boolean
  /** Its place among the server's connections was taken with `admit`: `connect` takes none. */
  readonly admitted?: boolean
  /** Headers that hold for every call of the connection (of the HTTP request or upgrade). */
  readonly headers: ReadonlyArray<[string, string]>
  /**
   * Sends one encoded message (with its line end, in `ndjson`), and is done when the peer's buffer has room again. In `binary`,
   * bytes are a message of effect's protocol, and text is a refusal that belongs to no call, as JSON: a frame of text. It never
   * fails: when the peer is gone, the transport closes the connection's scope.
   */
  readonly write: (frame: Uint8Array | string) => Effect.Effect<void>
  /** Ends the connection after what was written: the host calls it on shutdown and when the peer is idle. */
  readonly close: (reason: string) => Effect.Effect<void>
}

/** One message of a client, still undecoded: a JSON value that was parsed, of a text of so many bytes; or why it could not be. */
export type Incoming =
  | { readonly _tag: "Message"; readonly line: number; readonly value: unknown; readonly bytes: number }
  | { readonly _tag: "Refused"; readonly line: number; readonly code: ProtocolErrorCode; readonly message: string }

/** A connection, for as long as its scope lives; closing the scope interrupts its calls. */
export interface Connection {
  /**
   * Takes a message in, in order. Answers it itself when it cannot be served, and says with what; null when it was taken.
   * Calls run on their own; `receive` is done when the call has begun or its refusal is written.
   */
  readonly receive: (incoming: Incoming) => Effect.Effect<BorderError | null>
  /** Done when no call is under way. */
  readonly quiet: Effect.Effect<void>
}

/** How much the host has open. */
export interface HostState {
  readonly connections: number
  readonly calls: number
  readonly streams: number
  readonly draining: boolean
}

/**
 * Where every transport's connections end: one server for all procedures, with the border's limits (64 calls and 16 streams a
 * connection, 1,024 connections of the network and 256 over the Unix socket, 5 minutes of idleness).
 */
export class RpcHost extends Context.Service<
  RpcHost,
  {
    /**
     * Takes one of the places for connections until the scope closes; false when none is free. For transports whose connections
     * are open without being one of the RPC's (idle HTTP); what comes over them says `admitted`.
     */
    readonly admit: Effect.Effect<boolean, never, Scope.Scope>
    /** A connection until the scope closes, or null when there are as many as may be: then refuse and close. */
    readonly connect: (transport: Transport) => Effect.Effect<Connection | null, never, Scope.Scope>
    readonly state: Effect.Effect<HostState>
    /**
     * Takes no new calls, ends what may be cut off with ShuttingDown at once, waits up to 10 s for the rest, ends that too, and
     * closes the connections.
     */
    readonly drain: Effect.Effect<void>
  }
>()("tapestry/RpcHost") {}
