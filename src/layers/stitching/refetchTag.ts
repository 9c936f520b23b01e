/**
 * Marks the requests of a refetch in the archive. Their answers belong to a generation that is published as a whole or not at
 * all, so they are never applied one by one, and requests of ordinary reads are never served by them.
 */
export const refetchTag = "refetch"
