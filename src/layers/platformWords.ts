import { Predicate } from "effect"
import type { PlatformError } from "effect/PlatformError"

const words: Readonly<Record<string, string>> = {
  NotFound: "no such directory",
  PermissionDenied: "permission denied",
  AlreadyExists: "something of that name is there already",
  BadResource: "it is not a file"
}

const full = "the disk is full; free some space, or write elsewhere"

/** What the system's own code says that the kinds of platform errors do not. */
const codes: Readonly<Record<string, string>> = {
  ENOSPC: full,
  EDQUOT: "the disk quota is used up; free some space, or write elsewhere",
  EROFS: "the file system is read-only; write elsewhere"
}

/** Why something could not be written, in words for whoever has to do something about it. */
export const wordsOf = ({ reason, message }: PlatformError): string => {
  const { cause } = reason
  const code = Predicate.hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : ""
  return reason._tag === "WriteZero" ? full : (codes[code] ?? words[reason._tag] ?? message)
}
