/** Instants as the protocol writes and reads them. */
/** What the protocol calls a zone. */
const names: Readonly<Record<string, string>> = { "America/New_York": "US/Eastern", "America/Chicago": "US/Central" }

export const zoneName = (zone: string): string => names[zone] ?? zone

/** `20260410 13:30:00 GMT`, the time of a connection. */
export const inGmt = (at: number): string => {
  const text = new Date(at).toISOString()
  return `${text.slice(0, 10).replaceAll("-", "")} ${text.slice(11, 19)} GMT`
}
