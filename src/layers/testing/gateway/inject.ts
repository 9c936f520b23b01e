/** What each fault does. What lasts is kept in the gateway's state of faults; what is over later is scheduled in simulated time. */
import type { Farm, Fault } from "./Faults.ts"
import type { Gateway } from "./Gateway.ts"
import { malformed } from "./malformed.ts"
import { share } from "./market/hash.ts"
import type { Connection } from "./serve/Connection.ts"
import type { Subscription } from "./serve/Subscription.ts"

const aimedAt = (gateway: Gateway, clientId: number | undefined): ReadonlyArray<Connection> =>
  [...gateway.connections].filter((one) => clientId === undefined || one.clientId === clientId)

/** Makes a share of subscriptions send no more; which follows from the seed. */
const silence = (gateway: Gateway, part: number, concerns: (one: Subscription) => boolean): void => {
  for (const { number, subscriptions } of gateway.connections) {
    for (const one of subscriptions.values()) {
      if (concerns(one) && share(gateway.settings.seed, number, one.reqId) < part) one.silent = true
    }
  }
}

const lost = "Connectivity between IB and Trader Workstation has been lost."

const restore = (gateway: Gateway, code: 1101 | 1102, silent: number): void => {
  gateway.faults.upstreamLost = false
  gateway.mended()
  if (code === 1101) {
    gateway.broadcast(1101, "Connectivity between IB and Trader Workstation has been restored - data lost.")
    for (const { subscriptions } of gateway.connections) {
      for (const one of [...subscriptions.values()].filter(({ farm }) => farm !== null)) {
        one.stop()
        subscriptions.delete(one.reqId)
      }
    }
    return
  }
  silence(gateway, silent, ({ farm }) => farm !== null)
  gateway.broadcast(1102, "Connectivity between IB and Trader Workstation has been restored - data maintained.")
}

const farmCodes = (farm: Farm): readonly [broken: number, whole: number, what: string] =>
  farm === "ushmds"
    ? [2105, 2106, "HMDS data farm connection"]
    : farm === "secdefnj"
      ? [2157, 2158, "Sec-def data farm connection"]
      : [2103, 2104, "Market data farm connection"]

const breakFarm = (gateway: Gateway, farm: Farm, forMillis: number, silent: number): void => {
  const { broken } = gateway.faults
  const [brokenCode, wholeCode, what] = farmCodes(farm)
  broken.add(farm)
  gateway.broadcast(brokenCode, `${what} is broken:${farm}`)
  later(gateway, forMillis, () => {
    broken.delete(farm)
    silence(gateway, silent, (one) => one.farm === farm)
    gateway.broadcast(wholeCode, `${what} is OK:${farm}`)
    gateway.mended()
  })
}

const later = (gateway: Gateway, millis: number, run: () => void): void => {
  const { epoch } = gateway.faults
  gateway.time.schedule(gateway.time.now() + millis, () => {
    // Cleared faults do not come to an end a second time.
    if (gateway.faults.epoch === epoch) run()
  })
}

const compete = (gateway: Gateway, active: boolean): void => {
  gateway.faults.competing = active
  if (!active) return
  for (const connection of gateway.connections) {
    for (const { farm, live, reqId } of connection.subscriptions.values()) {
      if (live && farm !== null) connection.error(reqId, 10197, "No market data during competing live session")
    }
  }
}

const deny = (gateway: Gateway, symbol: string, active: boolean): void => {
  if (!active) {
    gateway.faults.denied.delete(symbol)
    return
  }
  gateway.faults.denied.add(symbol)
  for (const connection of gateway.connections) {
    for (const one of [...connection.subscriptions.values()]) {
      if (!one.live || one.symbol !== symbol) continue
      one.stop()
      connection.subscriptions.delete(one.reqId)
      connection.error(one.reqId, 354, "Requested market data is not subscribed.Delayed market data is available.")
    }
  }
}

const dayMillis = 86_400_000
const clockForm = /^([01]\d|2[0-3]):([0-5]\d)$/

/** The next instant at which a clock of UTC shows this. */
const nextAt = (now: number, text: string): number | null => {
  const [, hours, minutes] = clockForm.exec(text) ?? []
  if (hours === undefined || minutes === undefined) return null
  const today = Math.floor(now / dayMillis) * dayMillis + (Number(hours) * 60 + Number(minutes)) * 60_000
  return today > now ? today : today + dayMillis
}

const resetNightly = (gateway: Gateway, at: string, forMillis: number): void => {
  const next = nextAt(gateway.time.now(), at)
  if (next === null) throw new RangeError(`${at} is no time of day; write it as 03:45`)
  const { epoch } = gateway.faults
  const holds = () => gateway.faults.epoch === epoch
  gateway.time.schedule(next, () => {
    if (!holds()) return
    gateway.faults.upstreamLost = true
    const tell = () => {
      if (!holds() || gateway.time.now() >= next + forMillis) return
      gateway.broadcast(1100, lost)
      gateway.time.schedule(gateway.time.now() + 10_000, tell)
    }
    tell()
    later(gateway, forMillis / 2, () => {
      for (const connection of aimedAt(gateway, undefined)) connection.close("fin")
    })
    later(gateway, forMillis, () => {
      restore(gateway, 1101, 0)
      resetNightly(gateway, at, forMillis)
    })
  })
}

/** What faults do to the port: `refuse` closes it for a while, `move` opens another. */
export interface Door {
  readonly refuse: (forMillis: number) => void
  readonly move: (told: (port: number) => void) => void
}

/** Does what a fault says. */
export const inject = (gateway: Gateway, fault: Fault, door: Door): void => {
  const { faults, time } = gateway
  switch (fault._tag) {
    case "Drop":
      for (const one of aimedAt(gateway, fault.clientId)) one.close(fault.how)
      break
    case "CutFrame":
      for (const one of aimedAt(gateway, fault.clientId)) one.cut = fault
      break
    case "DropBeforeReady":
      faults.dropBeforeReady = fault.connections
      break
    case "Mute":
      for (const one of aimedAt(gateway, fault.clientId)) {
        one.muted = true
        if (fault.forMillis !== undefined) {
          time.schedule(time.now() + fault.forMillis, () => {
            one.muted = false
          })
        }
      }
      break
    case "Refuse":
      door.refuse(fault.forMillis)
      break
    case "PortChanged":
      door.move((port) => {
        gateway.broadcast(
          1300,
          `TWS socket port has been reset and this connection is being dropped. Please reconnect on the new port - ${port}`
        )
        for (const one of aimedAt(gateway, undefined)) one.close("fin")
        gateway.settle()
      })
      break
    case "UpstreamLost":
      faults.upstreamLost = true
      for (let index = 0; index < (fault.times ?? 1); index++) gateway.broadcast(1100, lost)
      later(gateway, fault.forMillis, () => restore(gateway, fault.restored, fault.silent ?? 0))
      break
    case "FarmBroken":
      breakFarm(gateway, fault.farm, fault.forMillis, fault.silent ?? 0)
      break
    case "CompetingSession":
      compete(gateway, fault.active)
      break
    case "Denied":
      deny(gateway, fault.symbol, fault.active)
      break
    case "ClientIdInUse":
      faults.clientIdInUse = fault.connections
      break
    case "RateExceeded":
      faults.leftOut = fault.leavesOut ?? 0
      for (const one of faults.leftOut > 0 ? [] : aimedAt(gateway, fault.clientId)) {
        one.error(-1, 100, "Max rate of messages per second has been exceeded:max=50 rec=51 (1)")
        if (fault.disconnect === true) one.close("fin")
      }
      break
    case "HistoryPacing":
      faults.historyPacing = fault.requests
      break
    case "HistoryEmpty":
      faults.historyEmpty = fault.requests
      break
    case "RealTimePacing":
      faults.realTimePacing = fault.requests
      break
    case "NightlyReset":
      if (fault.active) resetNightly(gateway, fault.at, fault.forMillis)
      else faults.epoch++
      break
    case "SendBuffer":
      gateway.sendBuffer = fault.bytes
      break
    case "Duplicates":
      faults.duplicates = fault.share
      faults.duplicated = fault.of ?? null
      break
    case "OutOfOrder":
      faults.outOfOrder = fault.share
      break
    case "ClockSkew":
      faults.skew = fault.millis
      break
    case "Burst":
      faults.burstUntil = time.now() + fault.forMillis
      later(gateway, fault.forMillis, () => {
        for (const one of gateway.connections) one.release()
      })
      break
    case "Malformed":
      for (const one of aimedAt(gateway, fault.clientId)) {
        // From a half-open connection nothing comes at all.
        if (one.muted) continue
        for (const piece of malformed(fault.what, Math.floor(time.now() / 1000))) one.outbox.raw(piece)
      }
      break
    case "VersionReply":
      faults.versionReply = fault.version
      faults.versionReplies = fault.connections
      break
    case "Bulletin":
      gateway.bulletin(fault.text)
      break
    case "BarsDeactivated":
      for (const one of gateway.connections) {
        for (const subscription of one.subscriptions.values()) {
          if (subscription.kind !== "bars") continue
          one.error(subscription.reqId, 10225, "Bust event occurred, current subscription is deactivated.")
          subscription.silent = true
        }
      }
      break
    case "Clear":
      faults.clear()
      for (const one of gateway.connections) one.cut = null
      gateway.sendBuffer = gateway.settings.sendBuffer
      gateway.mended()
      break
  }
  gateway.settle()
}
