/** A client's socket, as far as it is used: an app that tests with a gateway compiles without Node's types. */
export interface ClientSocket {
  readonly writable: boolean
  /** Bytes that the client has not taken. */
  readonly writableLength: number
  readonly write: (bytes: Uint8Array) => boolean
  readonly end: (sent: () => void) => unknown
  readonly destroy: () => unknown
  readonly resetAndDestroy: () => unknown
  readonly setNoDelay: (noDelay: boolean) => unknown
  readonly on: {
    (event: "data", listener: (chunk: Uint8Array) => void): unknown
    (event: "end" | "close" | "error" | "drain", listener: () => void): unknown
  }
  readonly once: (event: "close" | "drain", listener: () => void) => unknown
  readonly off: (event: "close" | "drain", listener: () => void) => unknown
}
