/** Of one connection. */
export const maxCalls = 64
/** Of one connection; streams are calls too. */
export const maxStreams = 16
/** Of the server, over the transports of the network. */
export const maxConnections = 1024
/** Over the Unix socket: clients of the network cannot keep this user's own commands out. */
export const maxLocalConnections = 256
/** Without a whole message and without work on a call. */
export const idleDeadline = "5 minutes"
/** What calls have to end in when the server goes down. */
export const drainTime = "10 seconds"
