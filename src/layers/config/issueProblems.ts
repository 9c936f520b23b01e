import { type SchemaAST, SchemaIssue } from "effect"
import { nearest } from "./nearest.ts"

/** A mistake in a decoded document: where it is, and what was expected there. */
export interface DocumentProblem {
  readonly path: ReadonlyArray<string>
  readonly expected: string
  /** Null: what the document has at `path`. */
  readonly found: string | null
  readonly remedy: string | null
}

const expectedOf = (ast: SchemaAST.AST): string | null => {
  // The last annotation says it best: an annotated check stands behind the ones it was added to.
  for (const check of Array.from(ast.checks ?? []).reverse()) {
    const expected = check.annotations?.expected
    if (typeof expected === "string") return expected
  }
  const own = ast.annotations?.expected
  return typeof own === "string" ? own : null
}

const knownKeys = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map((property) => String(property.name)) : []

const typeAt = (ast: SchemaAST.AST | null, key: PropertyKey): SchemaAST.AST | null => {
  if (ast === null || ast._tag !== "Objects") return null
  const property = ast.propertySignatures.find(({ name }) => name === key)
  return property?.type ?? ast.indexSignatures[0]?.type ?? null
}

const format = SchemaIssue.makeFormatterDefault()

const inWords = (issue: SchemaIssue.Issue): string =>
  format(issue)
    .split("\n")
    .join(" ")
    .replace(/^Expected /, "")

/**
 * The mistakes in a schema issue, one each, in words for the one who wrote the file: unknown keys with the key that was
 * probably meant, missing keys and wrong values with what their schema's `expected` annotation says.
 */
export const problemsOf = (root: SchemaIssue.Issue): ReadonlyArray<DocumentProblem> => {
  const problems: Array<DocumentProblem> = []
  const wrong = (path: ReadonlyArray<string>, expected: string) =>
    problems.push({ path, expected, found: null, remedy: null })

  const visit = (issue: SchemaIssue.Issue, path: ReadonlyArray<string>, ast: SchemaAST.AST | null): void => {
    const declared = ast === null ? null : expectedOf(ast)
    switch (issue._tag) {
      case "Composite":
        for (const child of issue.issues) visit(child, path, issue.ast)
        return
      case "Pointer": {
        const inner = issue.path.reduce(typeAt, ast)
        visit(issue.issue, [...path, ...issue.path.map(String)], inner)
        return
      }
      case "UnexpectedKey": {
        const known = knownKeys(issue.ast)
        const meant = nearest(path.at(-1) ?? "", known)
        problems.push({
          path,
          expected: meant === null ? `one of ${known.join(", ")}` : "one of the known keys",
          found: "a key that is not known here",
          remedy: meant === null ? "remove it" : `did you mean ${meant}?`
        })
        return
      }
      case "MissingKey":
        problems.push({ path, expected: declared ?? "a value", found: "nothing", remedy: "add it" })
        return
      case "Filter":
        wrong(path, declared ?? inWords(issue))
        return
      case "Encoding":
        if (declared === null) visit(issue.issue, path, ast)
        else wrong(path, declared)
        return
      case "AnyOf":
        if (declared === null && expectedOf(issue.ast) === null && issue.issues.length === 1) {
          for (const child of issue.issues) visit(child, path, null)
        } else wrong(path, declared ?? expectedOf(issue.ast) ?? inWords(issue))
        return
      default:
        wrong(path, declared ?? ("ast" in issue ? expectedOf(issue.ast) : null) ?? inWords(issue))
    }
  }
  visit(root, [], null)
  return problems
}
