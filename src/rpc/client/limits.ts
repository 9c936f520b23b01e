/** Bytes of one message of a server: a plan of a long range is the largest. */
export const maxMessageBytes = 64 * 1024 * 1024

/** Bytes of one message of ours that a server takes. */
export const maxRequestBytes = 1024 * 1024

/** How long a server may take to take a connection; where nothing listens, it is refused at once. */
export const openTimeout = "5 seconds"
