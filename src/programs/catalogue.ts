/**
 * Every command, with what it is for in a line, and where it is. A command is loaded when its name is among the words of the command line: one
 * that is not meant costs its line here and nothing else, however many there are.
 */
import { Effect } from "effect"
import { Command } from "effect/cli"

const entry = <const Name extends string, Input, ContextInput, E, R>(
  name: Name,
  about: string,
  load: () => Promise<{ readonly command: Command.Command<Name, Input, ContextInput, E, R> }>
) => {
  const described = Command.withShortDescription(about)
  return {
    name,
    loaded: Effect.map(Effect.promise(load), ({ command }) => described(command)),
    /** Stands for it where nobody has named it. */
    unloaded: described(Command.make(name))
  }
}

/** In the order in which help lists them. */
const groups = [
  {
    group: "Rows",
    entries: [
      entry(
        "demo",
        "A tour in half a minute, the last of it live; leaves nothing behind",
        () => import("./commands/demo.ts")
      ),
      entry("bars", "Bars of a series, fetching only what is missing", () => import("./commands/bars.ts")),
      entry("backfill", "Have the bars of many symbols fetched, as a job", () => import("./commands/backfill.ts")),
      entry("coverage", "What is known of a series, and what is missing", () => import("./commands/coverage.ts")),
      entry("explain", "Where one row came from, down to the bytes", () => import("./commands/explain.ts")),
      entry("latest", "The newest stored price of each symbol", () => import("./commands/latest.ts")),
      entry("quotes", "Live quotes, in a table or line by line", () => import("./commands/quotes.ts")),
      entry("trades", "Live trades, as they happen", () => import("./commands/trades.ts")),
      entry("ticks", "Trades of a range, fetching only what is missing", () => import("./commands/ticks.ts")),
      entry("depth", "A live book, as a ladder or line by line", () => import("./commands/depth.ts")),
      entry(
        "portfolio",
        "An account as it changes, in a table or line by line",
        () => import("./commands/portfolio.ts")
      ),
      entry("record", "Live streams into the archive and the store", () => import("./commands/record.ts")),
      entry("replay", "A recorded session, told again as it was", () => import("./commands/replay.ts")),
      entry("options", "Options of an underlying, as they stand now", () => import("./commands/options.ts")),
      entry("freshness", "How old the last row of each series is", () => import("./commands/freshness.ts")),
      entry("diff", "What a vendor changed between two instants", () => import("./commands/diff.ts")),
      entry("actions", "Splits, dividends and capital gains of a symbol", () => import("./commands/actions.ts")),
      entry("reconcile", "What two vendors disagree about", () => import("./commands/reconcile.ts"))
    ]
  },
  {
    group: "Files",
    entries: [
      entry("export", "Rows as files, with a manifest that proves them", () => import("./commands/export.ts")),
      entry("ingest", "Take rows from a file", () => import("./commands/ingest.ts")),
      entry("dump", "Rows of the store as one file that ingest takes back", () => import("./commands/dump.ts")),
      entry("dead-letters", "Rows that a batch processor had to give up", () => import("./commands/deadLetters.ts"))
    ]
  },
  {
    group: "Store and archive",
    entries: [
      entry("series", "What the store holds", () => import("./commands/series.ts")),
      entry("store", "The store itself: its place, schema and size", () => import("./commands/store.ts")),
      entry("tenants", "Who keeps rows in the store", () => import("./commands/tenants.ts")),
      entry(
        "archive",
        "What vendors were asked, and the exact bytes of their answers",
        () => import("./commands/archive.ts")
      ),
      entry("backup", "Copy the data directory while it is in use", () => import("./commands/backup.ts")),
      entry("restore", "Put a backup back; with a kind, take rows from a file", () => import("./commands/restore.ts")),
      entry(
        "rebuild",
        "Make the store again from the archive, or compare the two",
        () => import("./commands/rebuild.ts")
      )
    ]
  },
  {
    group: "Running",
    entries: [
      entry(
        "serve",
        "Serve the data directory over HTTP, WebSocket, TCP and a Unix socket",
        () => import("./commands/serve.ts")
      ),
      entry("jobs", "What is queued, under way and done", () => import("./commands/jobs.ts")),
      entry("vendors", "Where data can come from", () => import("./commands/vendors.ts")),
      entry("ibkr", "The gateway of Interactive Brokers", () => import("./commands/ibkr.ts")),
      entry("gateway-sim", "A simulated gateway to test clients with", () => import("./commands/gatewaySim.ts")),
      entry("calendar", "When an exchange trades", () => import("./commands/calendar.ts")),
      entry("config", "The settings that hold, and where each comes from", () => import("./commands/config.ts")),
      entry(
        "doctor",
        "Whether all is well: data directory, versions, vendors, disk, clock",
        () => import("./commands/doctor.ts")
      )
    ]
  }
] as const

type Entry = (typeof groups)[number]["entries"][number]
type Whole = Effect.Success<Entry["loaded"]> | Entry["unloaded"]

/** The commands by group; whole are those that `words` name, or all of them. */
export const commandsFor = (words: ReadonlyArray<string>) => {
  // What prints completions has to know every flag.
  const all = words.some((word) => word === "--completions" || word.startsWith("--completions="))
  const commandOf = (one: Entry): Effect.Effect<Whole> =>
    all || words.includes(one.name) ? one.loaded : Effect.succeed(one.unloaded)
  return Effect.forEach(groups, ({ entries, group }) =>
    Effect.map(Effect.forEach(entries as ReadonlyArray<Entry>, commandOf), (commands) => ({ group, commands }))
  )
}
