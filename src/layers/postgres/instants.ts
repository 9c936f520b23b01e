/**
 * Instants as PostgreSQL counts them: microseconds since 2000. Here they are epoch milliseconds; one before 4714 BC is `-infinity`, one
 * after 294276 AD `infinity`, so that a range over all time is a range over all time.
 */

/** Epoch milliseconds of 2000-01-01T00:00Z. */
export const postgresEpoch = 946_684_800_000
/** Milliseconds of the first instant that a timestamptz holds (4714-11-24 BC), and of the first that it no longer does. */
export const firstInstant = -210_866_803_200_000
const endOfTime = 9_224_318_016_000_000
/** Below these, microseconds since 2000 are exact as a double. */
const exact = 9_007_199_254_740
const minusInfinity = -(2n ** 63n)
const infinity = 2n ** 63n - 1n

export const instantMicros = (millis: number): bigint =>
  millis < firstInstant ? minusInfinity : millis >= endOfTime ? infinity : BigInt(millis - postgresEpoch) * 1000n

/** The same as a number; null where a number cannot be exact. */
export const exactInstant = (millis: number): number | null => {
  const since = millis - postgresEpoch
  return since > -exact && since < exact ? since * 1000 : null
}
