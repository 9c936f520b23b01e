/** A text as a part of an identity: what separates the parts of one has a backslash before it, so that no two lists of parts read the same. */
export const identityPart = (text: string | null): string => (text === null ? "" : text.replace(/[\\|#~]/g, "\\$&"))
