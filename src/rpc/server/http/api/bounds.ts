/** Most bars of one answer. */
export const mostBars = 5_000
/** Bars of an answer unless more are asked for. */
export const fewBars = 100
/** Options of an answer unless more are asked for. */
export const fewOptions = 50
