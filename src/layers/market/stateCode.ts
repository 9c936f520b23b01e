import { StoredState } from "../../domain/Coverage.ts"
import type { ResponseId } from "../../domain/Response.ts"

/**
 * How a state is written in the columns `state` and `until`. What is covered has no end: there `until` is when the answer was
 * asked for, or null where that was not kept. `Missing` is an invalidated interval; readers never see
 * it.
 */
export const StateCode = { Missing: 0, Covered: 1, Empty: 2, Provisional: 3, NotEntitled: 4, NotFound: 5 } as const

interface EncodedState {
  readonly code: number
  readonly until: number | null
}

export const encode = (state: StoredState, askedAt: number | null): EncodedState =>
  StoredState.match(state, {
    Covered: () => ({ code: StateCode.Covered, until: askedAt }),
    Empty: ({ recheckAfter }) => ({ code: StateCode.Empty, until: recheckAfter }),
    Provisional: ({ until }) => ({ code: StateCode.Provisional, until }),
    NotEntitled: ({ until }) => ({ code: StateCode.NotEntitled, until }),
    NotFound: ({ until }) => ({ code: StateCode.NotFound, until })
  })

/** The inverse of {@link encode}; null for an invalidated interval. */
export const decode = (code: number, until: number | null, response: ResponseId): StoredState | null => {
  switch (code) {
    case StateCode.Covered:
      return { _tag: "Covered", response }
    case StateCode.Empty:
      return { _tag: "Empty", response, recheckAfter: until }
    case StateCode.Provisional:
      return { _tag: "Provisional", response, until: until ?? 0 }
    case StateCode.NotEntitled:
      return { _tag: "NotEntitled", response, until: until ?? 0 }
    case StateCode.NotFound:
      return { _tag: "NotFound", response, until: until ?? 0 }
    default:
      return null
  }
}

/** True for the states that say of every stamp of their interval whether it has a row. */
export const assertsRows = (code: number): boolean =>
  code === StateCode.Covered || code === StateCode.Empty || code === StateCode.Provisional

/** True for the vendor's refusals, which are kept apart from what is proven: see refusals.ts. */
export const isRefusal = (code: number): boolean => code === StateCode.NotEntitled || code === StateCode.NotFound

/** True for what a later refusal does not replace: what was had of time that was over. */
export const withstands = (code: number): boolean => code === StateCode.Covered || code === StateCode.Empty

/** True for the states under which a row may come. */
export const admitsRows = (code: number): boolean => code === StateCode.Covered || code === StateCode.Provisional

/** Whether what is asserted is meant to last; an emptiness that is to be checked again is not. */
export const isFinal = (code: number, until: number | null): boolean =>
  code === StateCode.Covered || (code === StateCode.Empty && until === null)
