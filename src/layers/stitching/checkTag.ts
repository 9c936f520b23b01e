/**
 * Marks the requests in the archive whose answers only prove others (see admit.ts). They are never applied themselves, and serve no
 * other request.
 */
export const checkTag = "check"
