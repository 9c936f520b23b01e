import { Result } from "effect"
import { onlyAccount } from "../../domain/streams/StreamKey.ts"
import { NotFound } from "../../services/Adapter.ts"

/** The account of a vendor that a stream's symbol means, in the vendor's spelling. */
export const accountMeant = (asked: string, accounts: ReadonlyArray<string>): Result.Result<string, NotFound> => {
  const name = asked.trim().toLowerCase()
  const list = accounts.join(", ") || "none"
  if (name === onlyAccount) {
    const [only, ...others] = accounts
    return only !== undefined && others.length === 0
      ? Result.succeed(only)
      : Result.fail(new NotFound({ message: `say which account: ${list}` }))
  }
  const found = accounts.find((account) => account.toLowerCase() === name)
  return found === undefined
    ? Result.fail(new NotFound({ message: `no account ${asked.trim()}; there is: ${list}` }))
    : Result.succeed(found)
}
