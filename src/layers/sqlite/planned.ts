/**
 * Parameters of small statements that are run often. SQLite plans a statement anew each time that a value is bound to a parameter which it has
 * looked at: that of a limit, and those that a column is compared with for equality where the statement has an order or a join too. That is 4 to 7
 * microseconds of the 5 to 8 that such a statement takes. An expression is not looked at, is computed once, and finds the same index.
 */

/** A number for `column = ` or `limit `. */
export const number = "(? + 0)"
/** A text for `column = `. */
export const text = "(? || '')"
