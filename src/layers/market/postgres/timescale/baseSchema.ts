/** Where the tables themselves are: chunks, policies and sizes are theirs, and everybody's, whatever a tenant sees of them. */
export const baseSchema = "tapestry_base"

/** Where statements that work for a tenant find what is that tenant's; see migrations/tenantViews.ts. */
export const appSchema = "tapestry_app"
