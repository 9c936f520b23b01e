/** Where the tables themselves are: chunks, policies and sizes are theirs, and everybody's, whatever a tenant sees of them. */
export const baseSchema = "tapestry_base"
