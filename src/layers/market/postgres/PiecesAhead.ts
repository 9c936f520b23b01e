/**
 * The pieces of coverage before a commit that goes through its stretches, a page at a time: none changes before the commit's answers
 * are written at its end, because it holds the series. Where there are none, one look tells it for all that is to come.
 */
import { Effect } from "effect"
import type { Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import type { Piece } from "../GenerationTables.ts"
import { piecesBetween } from "./coverageRows.ts"

const pagePieces = 2_048

export class PiecesAhead {
  private readonly query: Query
  private readonly generation: number
  private readonly last: number
  private page: ReadonlyArray<Piece> = []
  /** How far what is known goes. */
  private reach = Number.NEGATIVE_INFINITY

  /** Of a generation, up to an instant. */
  constructor(query: Query, generation: number, last: number) {
    this.query = query
    this.generation = generation
    this.last = last
  }

  /** Those that meet `[start, end)`, ascending, and how far that goes: to `end`, or less where there are too many. Starts ascend. */
  from(
    start: number,
    end: number
  ): Effect.Effect<readonly [pieces: ReadonlyArray<Piece>, end: number], PostgresFailure> {
    const known = Effect.sync(() => {
      const stop = Math.min(end, this.reach)
      return [this.page.filter((piece) => piece.end > start && piece.start < stop), stop] as const
    })
    return start < this.reach ? known : Effect.andThen(this.turn(start), known)
  }

  private turn(start: number): Effect.Effect<void, PostgresFailure> {
    return Effect.map(piecesBetween(this.query, "coverage", this.generation, start, this.last, pagePieces), (found) => {
      this.page = found
      this.reach = found.length < pagePieces ? Number.POSITIVE_INFINITY : (found.at(-1)?.end ?? start)
    })
  }
}
