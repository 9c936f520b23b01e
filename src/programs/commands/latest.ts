import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { canonical } from "../../domain/SeriesKey.ts"
import { MarketStore } from "../../services/MarketStore.ts"
import { Ended } from "../failure/Ended.ts"
import { asCommand } from "../failure/UsageError.ts"
import { instant } from "../format/Documents.ts"
import { decimal } from "../format/Numbers.ts"
import { brief } from "../format/ZonedTime.ts"
import { Output } from "../terminal/Output.ts"
import { printList } from "../terminal/printList.ts"
import { withData } from "../withData.ts"

const flags = {
  symbols: Argument.String("symbol").pipe(
    Argument.withDescription("Only these symbols, as 'tapestry series list' spells them; all unless given"),
    Argument.variadic()
  ),
  vendor: Flag.String("vendor").pipe(
    Flag.withMetavar("VENDOR"),
    Flag.withDescription("Only prices of this vendor"),
    Flag.optional
  )
}

const latest = Effect.fn("tapestry latest")(function* ({
  symbols,
  vendor
}: Command.Command.Config.Infer<typeof flags>) {
  const asked = [...new Set(symbols)]
  const found = yield* withData(
    MarketStore.use((store) =>
      store.latest({
        ...(asked.length === 0 ? {} : { symbols: asked }),
        ...(Option.isSome(vendor) ? { vendor: vendor.value } : {})
      })
    )
  )
  yield* printList({
    name: "latest",
    items: found,
    columns: [
      { header: "vendor", align: "left" },
      { header: "symbol", align: "left" },
      { header: "timeframe", align: "left" },
      { header: "price", align: "decimal" },
      { header: "at (UTC)", align: "left" },
      { header: "of", align: "left" }
    ],
    row: ({ price, series, ts }) => [
      series.vendor,
      series.symbol,
      series.timeframe ?? "-",
      decimal(price),
      brief(ts),
      series.price
    ],
    document: ({ price, series, ts }) => ({
      series: canonical(series),
      vendor: series.vendor,
      symbol: series.symbol,
      timeframe: series.timeframe,
      ts: instant(ts),
      price
    }),
    none: "no bars"
  })
  const had = new Set(found.map(({ series }) => series.symbol))
  const missing = asked.filter((symbol) => !had.has(symbol))
  if (missing.length === 0) return
  const { note } = yield* Output
  yield* note(`no bars are stored of ${missing.join(", ")}; 'tapestry bars' fetches them`)
  return yield* new Ended({ code: 3 })
}, asCommand("latest"))

export const command = Command.make("latest", flags, latest).pipe(
  Command.withDescription(
    "The newest close of each series of bars, with its instant: how old it is, it says itself. Nothing is fetched. A symbol without stored bars is named, and the command ends with 3."
  ),
  Command.withExamples([
    { command: "tapestry latest", description: "Of all series" },
    { command: "tapestry latest SPY QQQ --vendor yahoo --json", description: "Of two symbols, for a program" }
  ])
)
