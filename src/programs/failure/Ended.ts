import { Data, Runtime } from "effect"

/**
 * A command that has said all there is to say and ends with a code other than 0: 1 failed, or what was checked is damaged; 2
 * wrong usage; 3 an answer with holes, or rows that were rejected.
 */
export class Ended extends Data.TaggedError("Ended")<{ readonly code: 1 | 2 | 3 }> {
  override readonly [Runtime.errorExitCode] = this.code
}
