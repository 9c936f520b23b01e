import { Effect, FileSystem, Option, Redacted, Result } from "effect"
import * as AdminToken from "../../rpc/handlers/AdminToken.ts"
import { UsageError } from "../failure/UsageError.ts"
import { fileVariable, givenToken, tokenVariable } from "./adminTokenSource.ts"

const ofFile = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    fs.readFileString(file),
    ({ message }) => new UsageError({ message: `${fileVariable}=${file}: ${message}` })
  )
  // Editors end a file with a line's end.
  return Redacted.make(text.replace(/\r?\n$/, ""))
})

/** The admin token of a server; null: there is none, and nobody changes the deployment over the network. */
export const adminToken = Effect.gen(function* () {
  const { file, token } = yield* givenToken
  if (Option.isSome(token) && Option.isSome(file)) {
    const message = `${tokenVariable} and ${fileVariable} are both set; leave one of them out`
    return yield* new UsageError({ message })
  }
  const given = Option.isSome(file) ? Option.some(yield* ofFile(file.value)) : token
  if (Option.isNone(given)) return null
  const made = AdminToken.make(given.value)
  if (Result.isSuccess(made)) return made.success
  const name = Option.isSome(file) ? fileVariable : tokenVariable
  return yield* new UsageError({ message: `${name}: ${made.failure.message}` })
})
