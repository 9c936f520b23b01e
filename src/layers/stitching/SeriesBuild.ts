/**
 * A series made again from the archive alone, beside whatever the store has of it.
 *
 * Responsibilities: every answer is read again, through `project` like everything else, into the generation that was visible when
 * it was archived; operations are done in their order. Nobody sees any of it before `finish`.
 *
 * Queueing: the caller's. `advance` may run while the series is read and fetched: it goes as far as is certain; the last one, and
 * `finish`, run while nobody plans and nothing is in flight. Answers are committed in groups, several small ones a transaction, and
 * all of them before an operation is done.
 *
 * Hard cases: of an adjusted series those answers are read that were admitted, as the archive's records say, each where it was. An operation that is recorded while `advance` runs divides the answers that were listed before it was: those behind
 * it are left to the next `advance`. Of a published refetch the answers are those that its record names; those of one that was
 * dropped are in no record. Where one answer of a group is refused, the group is committed one by one, so that each has its own verdict.
 */
import { Effect } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import type { SeriesOperation } from "../../domain/SeriesOperation.ts"
import type { Commit, GenerationId } from "../../services/MarketStore.ts"
import { archivedAnswer } from "./archivedAnswer.ts"
import { isAdjusted } from "./basis.ts"
import { checkTag } from "./checkTag.ts"
import { isAnswersOwn } from "./passOver.ts"
import { type BarSeries, type Fetcher, readAnswer } from "./project.ts"
import { refetchTag } from "./refetchTag.ts"
import type { Stores } from "./Stores.ts"
import { forgottenBy } from "./settleOperations.ts"

/** Why an answer cannot be read; `damaged` where its bytes are not what came. */
export interface Unread {
  readonly message: string
  readonly damaged: boolean
}

export interface BuildHooks {
  /** An answer was read; `rows` is how many it had. */
  readonly read: (rows: number) => Effect.Effect<void>
  readonly unread: (response: ResponseId, why: Unread) => Effect.Effect<void>
}

/** A group is committed when it has so many rows, or so many answers. */
const groupRows = 4_096
const groupAnswers = 64

const isApart = (cacheTag: string | null): boolean => cacheTag === refetchTag || cacheTag === checkTag

/** Begins to build; what was not finished when the scope closes is dropped. */
export const make = Effect.fnUntraced(function* (
  { archive, market }: Stores,
  series: BarSeries,
  fetcher: Fetcher,
  hooks: BuildHooks
) {
  let generations: [GenerationId, ...Array<GenerationId>] | null = null
  let answered = 0
  let operated = 0

  yield* Effect.addFinalizer(() =>
    Effect.forEach(generations ?? [], (generation) => Effect.ignore(market.dropGeneration(generation)), {
      discard: true
    })
  )

  const begin = Effect.uninterruptible(
    Effect.tap(market.beginGeneration(series.key, { apart: true }), (generation) =>
      Effect.sync(() => {
        if (generations === null) generations = [generation]
        else generations.push(generation)
      })
    )
  )

  let group: Array<Commit> = []
  let rowsOfGroup = 0

  const refused = (id: ResponseId, { message, reason }: { message: string; reason: { _tag: string } }) =>
    hooks.unread(id, { message, damaged: reason._tag === "PayloadDamaged" })

  const commitGroup = Effect.suspend(() => {
    const commits = group
    group = []
    rowsOfGroup = 0
    const read = ({ bars }: Commit) => hooks.read(bars.length)
    const oneByOne = Effect.forEach(
      commits,
      (commit) =>
        Effect.andThen(market.commit(commit), read(commit)).pipe(
          Effect.catchIf(isAnswersOwn, (error) => refused(commit.response, error))
        ),
      { discard: true }
    )
    return Effect.matchEffect(market.commitAll(commits), {
      onSuccess: () => Effect.forEach(commits, read, { discard: true }),
      onFailure: (error) => (isAnswersOwn(error) ? oneByOne : Effect.fail(error))
    })
  })

  const read = Effect.fnUntraced(function* (id: ResponseId, generation: GenerationId, member: boolean) {
    yield* Effect.gen(function* () {
      const answer = yield* archivedAnswer(archive, id)
      if (answer === null || (!member && isApart(answer.request.cacheTag))) return
      const { commit } = yield* readAnswer(fetcher, series, answer, generation)
      group.push(commit)
      rowsOfGroup += commit.bars.length
    }).pipe(Effect.catchIf(isAnswersOwn, (error) => refused(id, error)))
    yield* rowsOfGroup >= groupRows || group.length >= groupAnswers ? commitGroup : Effect.yieldNow
  })

  const committed = new Set<ResponseId>()

  const operate = Effect.fnUntraced(function* (
    { after, change, id, recordedAt }: SeriesOperation,
    current: GenerationId
  ) {
    if (change._tag === "Invalidated") {
      yield* market.invalidate(series.key, change.range, recordedAt, { operation: { id, after }, generation: current })
    } else if (change._tag === "Published") {
      const next = yield* begin
      for (const response of change.responses) {
        committed.add(response)
        yield* read(response, next, true)
      }
      yield* commitGroup
      yield* market.succeedGeneration(current, next, change.at)
    } else if ((change._tag === "Admitted" || change._tag === "Believed") && !committed.has(change.response)) {
      committed.add(change.response)
      yield* read(change.response, current, true)
    }
    operated = id
  })

  /** Reads what is archived and not read yet; false when the series is forgotten, and there is nothing to build. */
  const advance = Effect.gen(function* () {
    const operations = yield* archive.operationsOf(series.text, operated)
    const answers = yield* archive.answersOf(series.text, answered)
    const all = yield* archive.operationsOf(series.text, 0)
    if (forgottenBy(all) !== null) return false
    const seen = operations.at(-1)?.id ?? operated
    const certain = all.find(({ id }) => id > seen)?.after ?? Number.MAX_SAFE_INTEGER
    if (generations === null) yield* begin
    let at = 0
    const readUpTo = Effect.fnUntraced(function* (last: number) {
      for (let id = answers[at]; id !== undefined && id <= last; id = answers[++at]) {
        const current = generations?.at(-1)
        if (current !== undefined && !isAdjusted(series.key)) yield* read(id, current, false)
        answered = id
      }
    })
    for (const operation of operations) {
      yield* readUpTo(operation.after)
      if (operation.change._tag !== "Admitted") yield* commitGroup
      const current = generations?.at(-1)
      if (current !== undefined) yield* operate(operation, current)
    }
    yield* readUpTo(certain)
    yield* commitGroup
    return true
  })

  /** Puts what was built in the place of what the store has. Gives the newest answer that is in it. */
  const finish = Effect.suspend(() =>
    generations === null
      ? Effect.succeed(answered)
      : Effect.as(
          Effect.tap(market.replaceGenerations(generations, operated), () =>
            Effect.sync(() => {
              generations = null
            })
          ),
          answered
        )
  ).pipe(Effect.uninterruptible)

  return { advance, finish }
})

export type SeriesBuild = Effect.Success<ReturnType<typeof make>>
