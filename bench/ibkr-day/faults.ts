/** What goes wrong in a day, drawn from a seed: at most one thing a minute, at a second of it that is drawn, too. */
import { type Fault, type Malformation, malformations } from "../../src/layers/testing/gateway/Faults.ts"
import { share } from "../../src/layers/testing/gateway/market/hash.ts"

const second = 1_000

export interface Mishap {
  readonly name: string
  /** Milliseconds after the minute has begun. */
  readonly after: number
  readonly faults: ReadonlyArray<Fault>
  /** For so long what comes may be older than it looks, and no client of the protocol can know. */
  readonly unseen: number
  /** What it ends with, and after how long; it never lasts longer than the minute. */
  readonly end: { readonly after: number; readonly faults: ReadonlyArray<Fault> } | null
}

/**
 * Every fault of the simulator but these, of which the first four no client can tell from the truth:
 * - `PortChanged`: who is not connected when it is said never learns where the gateway has gone (tests of the session have those that are).
 * - `HistoryEmpty`: history that says that there is nothing where there is something is how IB tells of hours without trades.
 * - `Duplicates` of trades, quotes and books: IB numbers none of them, and two trades alike are two trades. Bars, which are known by their stamps, come twice here.
 * - `OutOfOrder`: what came is taken for what holds, and that all before a stamp has come is said when the next one comes.
 * - `Denied` and `VersionReply` end a stream or the session for good, which a user has to mend, and there would be no day (tests of the session and of lookups).
 * - `SendBuffer` cuts off who does not read, which this client never does not; for it that is a `Drop`.
 */
export const mishapOf = (seed: number, minute: number): Mishap => {
  let draws = 0
  const draw = () => share(seed, minute, ++draws)
  const between = (least: number, most: number) => Math.floor(least + draw() * (most - least + 1))
  const pick = <A>(from: readonly [A, ...ReadonlyArray<A>]): A => from[between(0, from.length - 1)] ?? from[0]
  const how = pick(["fin", "rst"] as const)
  const after = between(0, 59) * second
  const mishap = (name: string, faults: ReadonlyArray<Fault>, unseen = 0, end: Mishap["end"] = null): Mishap => ({
    name,
    after,
    faults,
    unseen,
    end
  })
  const drop = { _tag: "Drop", how } as const
  switch (between(0, 22)) {
    case 0:
      return mishap("drop", [drop])
    case 1:
      return mishap("refuse", [{ _tag: "Refuse", forMillis: between(1, 15) * second }, drop])
    case 2:
      return mishap("drop before ready", [{ _tag: "DropBeforeReady", connections: between(1, 3) }, drop])
    case 3:
      return mishap("cut frame", [{ _tag: "CutFrame", bytes: between(0, 60), how }])
    case 4: {
      // Longer than the session's patience: what a shorter one swallows nobody can know of.
      const forMillis = between(27, 50) * second
      return mishap("mute", [{ _tag: "Mute", forMillis }], 30 * second)
    }
    case 5:
      return mishap("1101", [
        { _tag: "UpstreamLost", forMillis: between(2, 30) * second, restored: 1101, times: between(1, 5) }
      ])
    case 6:
    case 7:
      return mishap("1102", [
        { _tag: "UpstreamLost", forMillis: between(2, 30) * second, restored: 1102, silent: draw() / 2 }
      ])
    case 8:
      return mishap("farm", [
        { _tag: "FarmBroken", farm: "usfarm", forMillis: between(2, 20) * second, silent: draw() / 2 }
      ])
    case 9:
      return mishap("history farm", [{ _tag: "FarmBroken", farm: "ushmds", forMillis: between(2, 20) * second }, drop])
    case 10:
      return mishap("id in use", [{ _tag: "ClientIdInUse", connections: between(1, 3) }, drop])
    case 11:
      return mishap("rate exceeded", [{ _tag: "RateExceeded", disconnect: draw() < 0.5 }])
    case 12:
      return mishap("history paced", [{ _tag: "HistoryPacing", requests: between(1, 4) }, drop])
    case 13: {
      const forMillis = between(2, 10) * second
      return mishap("burst", [{ _tag: "Burst", forMillis }], forMillis + second)
    }
    case 14:
      return mishap("bars deactivated", [{ _tag: "BarsDeactivated" }])
    case 15:
      return mishap("bars paced", [{ _tag: "RealTimePacing", requests: between(1, 3) }, drop])
    case 16:
      return mishap("competing session", [{ _tag: "CompetingSession", active: true }], 0, {
        after: between(1, 45) * second,
        faults: [{ _tag: "CompetingSession", active: false }]
      })
    case 17:
      return mishap("drop by reset", [{ _tag: "Drop", how: "rst" }])
    case 18: {
      const farm = pick(["cashfarm", "usfuture", "secdefnj"] as const)
      return mishap("other farm", [
        { _tag: "FarmBroken", farm, forMillis: between(2, 20) * second, silent: draw() / 2 },
        ...(draw() < 0.5 ? [drop] : [])
      ])
    }
    case 19:
      return mishap("bars twice", [{ _tag: "Duplicates", share: between(1, 10) / 10, of: "bars" }], 0, {
        after: between(10, 60) * second,
        faults: [{ _tag: "Duplicates", share: 0 }]
      })
    case 20:
      return mishap("bulletin", [{ _tag: "Bulletin", text: `No. ${minute}` }, ...(draw() < 0.5 ? [drop] : [])])
    case 21:
      // Of the time of the gateway's machine, which is not that of its trades.
      return mishap("clock skew", [{ _tag: "ClockSkew", millis: between(-20, 20) * 100 }, drop], 0, {
        after: 60 * second,
        faults: [{ _tag: "ClockSkew", millis: 0 }]
      })
    default: {
      const [first = "halfFrame", ...rest] = malformations
      const what = pick<Malformation>([first, ...rest])
      return mishap(what, [{ _tag: "Malformed", what }], 2 * second)
    }
  }
}
