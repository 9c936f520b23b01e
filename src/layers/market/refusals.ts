/**
 * What a refusal (NotFound, NotEntitled) does to what is known: it replaces nothing that was had of time that was over. A vendor that
 * no longer has a symbol, or an account that lost a right, does not unsay what it gave before.
 *
 * So the newest refusal of each instant is kept beside the newest of all other answers, and the two are put together when they are
 * read. An older refusal is void. A newer one stands beside what is covered or empty; it holds where nothing is known, where
 * what was known is invalidated, and where it was provisional, which nobody may have any more as it ended. Each of the two layers
 * is the same whatever the order of commits, and so is what is made of them.
 */
import type { Answer } from "./GenerationTables.ts"
import { compare } from "./KnowledgeKey.ts"
import { withstands } from "./stateCode.ts"

/** What holds for a stretch, and the refusal that came after it, if one did. */
export interface Known extends Answer {
  readonly refusal?: Answer
}

const together = (answer: Answer | null, refusal: Answer | null): Known | null => {
  if (refusal === null) return answer
  if (answer === null) return refusal
  if (compare(refusal, answer) < 0) return answer
  return withstands(answer.code) ? { ...answer, refusal } : refusal
}

const sameAnswer = (a: Answer | undefined, b: Answer | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.code === b.code && compare(a, b) === 0)

/** Both lists are disjoint and ascend, and so does the result; a stretch is as long as it can be. */
export const withRefusals = (answers: ReadonlyArray<Answer>, refusals: ReadonlyArray<Answer>): ReadonlyArray<Known> => {
  if (refusals.length === 0) return answers
  const known: Array<Known> = []
  let a = 0
  let r = 0
  let at = Math.min(answers[0]?.start ?? Number.POSITIVE_INFINITY, refusals[0]?.start ?? Number.POSITIVE_INFINITY)
  for (;;) {
    while ((answers[a]?.end ?? Number.POSITIVE_INFINITY) <= at) a++
    while ((refusals[r]?.end ?? Number.POSITIVE_INFINITY) <= at) r++
    const answer = answers[a]
    const refusal = refusals[r]
    if (answer === undefined && refusal === undefined) return known
    const answered = answer !== undefined && answer.start <= at ? answer : null
    const refused = refusal !== undefined && refusal.start <= at ? refusal : null
    const end = Math.min(
      (answered === null ? answer?.start : answered.end) ?? Number.POSITIVE_INFINITY,
      (refused === null ? refusal?.start : refused.end) ?? Number.POSITIVE_INFINITY
    )
    const here = together(answered, refused)
    const last = known.at(-1)
    if (here !== null) {
      const whole = here === refused ? refused : answered
      // Of one answer the table has pieces that touch where its response proves two things side by side.
      const begins = whole === null || whole.start === at || (here.refusal !== undefined && here.refusal.start === at)
      if (last?.end === at && !begins && sameAnswer(last, here) && sameAnswer(last.refusal, here.refusal))
        known[known.length - 1] = { ...last, end }
      else known.push({ ...here, start: at, end })
    }
    at = end
  }
}
