/** The admin token of the tests' servers. */
import { Redacted, Result } from "effect"
import * as AdminToken from "../../src/rpc/handlers/AdminToken.ts"

export const secret = Redacted.make("a-token-of-the-tests-and-of-nobody-else")
export const adminToken = Result.getOrThrow(AdminToken.make(secret))
