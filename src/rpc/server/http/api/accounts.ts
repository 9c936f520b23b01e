/**
 * What an account has, of what its vendor streams of it: as the streams stand, which is known already where somebody follows them.
 *
 * Queueing: that of MarketStreams. Hard cases: a vendor that does not send its account whole in time (what has come is told, as incomplete), one that
 * sends nothing at all (an error), and one that is away (what was had is told, as stale).
 */
import { Effect, Option, Schema } from "effect"
import { type DataType, isRows, type StreamItem } from "../../../../domain/streams/StreamEvent.ts"
import { onlyAccount, type StreamQuery } from "../../../../domain/streams/StreamKey.ts"
import type { StreamKind } from "../../../../domain/streams/StreamKind.ts"
import { iso } from "../../../../domain/TimeRange.ts"
import type { MarketStreams, MarketStreamsError } from "../../../../services/MarketStreams.ts"
import { Portfolio } from "../feed/Portfolio.ts"
import { Standing } from "../feed/Standing.ts"
import type { AccountFigures, Positions } from "./MarketApi.ts"

/** Nothing came of an account in time. */
export class AccountSilent extends Schema.TaggedError<AccountSilent>()("AccountSilent", { message: Schema.String }) {}

const patience = "10 seconds"
/** For figures that not every vendor has, when all else is there. */
const patienceForMore = "1 second"

/** Takes until `done`, or until no more is waited for; whether it was done. */
const follow = (
  take: Effect.Effect<ReadonlyArray<StreamItem>, MarketStreamsError>,
  see: (items: ReadonlyArray<StreamItem>) => void,
  done: () => boolean
): Effect.Effect<void, MarketStreamsError> =>
  Effect.suspend(() =>
    done()
      ? Effect.void
      : Effect.flatMap(take, (items) => {
          see(items)
          return items.length === 0 ? Effect.void : follow(take, see, done)
        })
  )

const fresh = (dataType: DataType | null) => ({
  delayed: dataType === null ? null : dataType === "delayed" || dataType === "delayed-frozen",
  data_type: dataType,
  simulated: dataType === "simulated"
})

const subscribed = Effect.fnUntraced(function* (
  streams: MarketStreams["Service"],
  vendor: string,
  account: string,
  kinds: ReadonlyArray<StreamKind>
) {
  const queries = kinds.map((kind): StreamQuery => ({ symbol: account, kind }))
  const { keys, take } = yield* streams.subscribe({ vendor, streams: queries }, { policy: { _tag: "latest" } })
  const standing = new Standing()
  let ended: string | null = null
  return {
    account: keys[0]?.symbol ?? account,
    take,
    standing,
    ended: () => ended,
    hear: ({ event, stream }: StreamItem) => {
      if (stream !== 0 || isRows(event)) return
      standing.word(event)
      if (event._tag === "Closed") ended = event.cause
    }
  }
})

const silent = (vendor: string, account: string, cause: string | null) =>
  new AccountSilent({
    message: `${vendor} has told nothing of account ${account}${cause === null ? "" : `: ${cause}`}`
  })

/** `more`: the vendor streams the account's own figures, too. */
export const positions = Effect.fnUntraced(function* (
  streams: MarketStreams["Service"],
  vendor: string,
  asked: string = onlyAccount,
  more = false
): Effect.fn.Return<Positions, MarketStreamsError | AccountSilent, never> {
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const { account, ended, hear, standing, take } = yield* subscribed(
        streams,
        vendor,
        asked,
        more ? ["portfolio", "pnl"] : ["portfolio"]
      )
      const portfolio = new Portfolio()
      const see = (items: ReadonlyArray<StreamItem>) => {
        for (const item of items) {
          hear(item)
          if (isRows(item.event)) portfolio.rows(item.event)
          else portfolio.word(item.stream, item.event)
        }
      }
      const whole = () => portfolio.complete || ended() !== null || (standing.broken && !portfolio.isEmpty)
      yield* Effect.timeoutOption(follow(take, see, whole), patience)
      if (more && portfolio.complete) {
        yield* Effect.timeoutOption(
          follow(take, see, () => portfolio.valued),
          patienceForMore
        )
      }
      if (portfolio.isEmpty) return yield* silent(vendor, account, ended())
      return { account, vendor, ...portfolio.document, stale: standing.broken, ...fresh(standing.dataType) }
    })
  )
})

export const figures = Effect.fnUntraced(function* (
  streams: MarketStreams["Service"],
  vendor: string,
  asked: string = onlyAccount
): Effect.fn.Return<AccountFigures, MarketStreamsError | AccountSilent, never> {
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const { account, ended, hear, standing, take } = yield* subscribed(streams, vendor, asked, ["account"])
      const values = new Map<string, AccountFigures["values"][number]>()
      let newest: number | null = null
      const see = (items: ReadonlyArray<StreamItem>) => {
        for (const item of items) {
          hear(item)
          if (item.event._tag !== "Account") continue
          for (const { currency, tag, ts, value } of item.event.rows) {
            newest = Math.max(newest ?? ts, ts)
            values.set(`${tag}|${currency ?? ""}`, { tag, value, currency })
          }
        }
      }
      const whole = () => standing.complete || ended() !== null || (standing.broken && values.size > 0)
      const inTime = Option.isSome(yield* Effect.timeoutOption(follow(take, see, whole), patience))
      if (values.size === 0) return yield* silent(vendor, account, ended())
      return {
        account,
        vendor,
        values: Array.from(values.values()),
        complete: inTime && standing.complete,
        stale: standing.broken,
        ts: newest === null ? null : iso(newest),
        ...fresh(standing.dataType)
      }
    })
  )
})
