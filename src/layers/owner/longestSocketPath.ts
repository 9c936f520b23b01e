/** Bytes of the longest path that a Unix socket may have, without the zero that ends it. */
export const longestSocketPath = process.platform === "darwin" ? 103 : 107
