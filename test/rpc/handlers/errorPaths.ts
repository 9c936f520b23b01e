/** Every error that the contract can give, read from its schemas. */
import { type Schema, SchemaAST } from "effect"
import { RpcSchema } from "effect/rpc"
import { TapestryRpcs } from "../../../src/rpc/contract/TapestryRpcs.ts"

/** What this needs to know of a procedure. */
export interface Procedure {
  readonly _tag: string
  readonly payloadSchema: Schema.Top
  readonly successSchema: Schema.Top
  readonly errorSchema: Schema.Top
  readonly middlewares: ReadonlySet<{ readonly error: Schema.Top }>
}

export const procedures: ReadonlyArray<Procedure> = [...TapestryRpcs.requests.values()]

/** The schemas of what a call can fail with, its stream and the border included. */
export const errorSchemas = ({ errorSchema, middlewares, successSchema }: Procedure): ReadonlyArray<Schema.Top> => {
  const ofStream = RpcSchema.isStreamSchema(successSchema) ? [successSchema.error] : []
  const schemas = new Set([errorSchema, ...ofStream, ...[...middlewares].map(({ error }) => error)])
  return [...schemas].filter((schema) => schema.ast._tag !== "Never")
}

/** The fields of a struct, or of a class over one. */
const fieldsOf = (ast: SchemaAST.AST): ReadonlyMap<PropertyKey, SchemaAST.AST> | null => {
  if (SchemaAST.isDeclaration(ast)) {
    const [inner] = ast.typeParameters
    return inner === undefined ? null : fieldsOf(inner)
  }
  return SchemaAST.isObjects(ast) ? new Map(ast.propertySignatures.map(({ name, type }) => [name, type])) : null
}

/**
 * The paths of tags that a schema of errors allows, from the service's error down through `reason`:
 * `StitchingCacheError/VendorError/Throttled`. A member without a tag is an error that nobody can catch, and throws.
 */
export const pathsOf = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (SchemaAST.isUnion(ast)) return ast.types.flatMap(pathsOf)
  const fields = fieldsOf(ast)
  const tag = fields?.get("_tag")
  if (fields === null || tag === undefined || !SchemaAST.isLiteral(tag)) {
    throw new Error(`an error of the contract has no tag to catch it by: ${ast._tag}`)
  }
  const reason = fields.get("reason")
  const own = String(tag.literal)
  return reason === undefined ? [own] : pathsOf(reason).map((path) => `${own}/${path}`)
}

/** All paths, each with the procedures that can fail so. */
export const contractErrors = (): ReadonlyMap<string, ReadonlyArray<string>> => {
  const found = new Map<string, Array<string>>()
  for (const procedure of procedures) {
    for (const path of new Set(errorSchemas(procedure).flatMap(({ ast }) => pathsOf(ast)))) {
      found.set(path, [...(found.get(path) ?? []), procedure._tag])
    }
  }
  return found
}
