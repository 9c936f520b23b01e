import type { OwnerError } from "../../services/Owner.ts"

/**
 * What became of one try to have a command done: it is done, or nobody could be asked. `met`: an owner answered at first and went
 * away, or refused for now, so that patience begins anew; `why` is what is said when patience is over,
 * after so many milliseconds without an answer.
 */
export type Turn<A> =
  | { readonly _tag: "Done"; readonly value: A }
  | { readonly _tag: "Nobody"; readonly met: boolean; readonly why: (waitedMillis: number) => OwnerError }

export const done = <A>(value: A): Turn<A> => ({ _tag: "Done", value })
export const nobody = (
  why: (waitedMillis: number) => OwnerError,
  options: { readonly met: boolean } = { met: false }
): Turn<never> => ({ _tag: "Nobody", met: options.met, why })
