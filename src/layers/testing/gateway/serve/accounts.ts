/** Accounts, positions, and profit and loss, each at what the market says. */
import { positionContract } from "../codec/contract.ts"
import type { Account, Valued } from "../market/Account.ts"
import { cancel, type Task } from "../VirtualTime.ts"
import { message } from "../wire/text.ts"
import type { Connection } from "./Connection.ts"
import { wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"
import type { Subscription } from "./Subscription.ts"

/** How often accounts are told anew, and how often profit and loss. */
const accountInterval = 180_000
const profitInterval = 1_000

/** Runs at once and then again and again. */
const repeated = (connection: Connection, interval: number, run: () => void): (() => void) => {
  const { time } = connection.gateway
  let task: Task | null = null
  const turn = () => {
    run()
    task = time.schedule(time.now() + interval, turn)
  }
  turn()
  return () => cancel(task)
}

/** Sends a text when it is another than the one before it under its key; what changes while IB is away is told after it. */
const whenChanged = (connection: Connection) => {
  const told = new Map<string, string>()
  return (key: string, text: string) => {
    const before = told.get(key)
    if (before === text || (before !== undefined && connection.gateway.faults.upstreamLost)) return
    told.set(key, text)
    connection.send(text)
  }
}

const subscribed = (connection: Connection, reqId: number, kind: Subscription["kind"], stop: () => void): void =>
  connection.subscribe({ reqId, kind, symbol: "", farm: null, live: false, silent: false, stop })

const positionText = ({ name }: Account, { averageCost, instrument, quantity }: Valued): string =>
  message(
    61,
    3,
    name,
    ...positionContract(instrument),
    instrument.secType === "STK" ? instrument.primaryExchange : instrument.exchange,
    instrument.currency,
    instrument.localSymbol,
    instrument.tradingClass,
    quantity,
    averageCost
  )

const portfolioText = ({ name }: Account, one: Valued): string => {
  const { instrument } = one
  return message(
    7,
    8,
    ...positionContract(instrument),
    instrument.primaryExchange,
    instrument.currency,
    instrument.localSymbol,
    instrument.tradingClass,
    one.quantity,
    one.price,
    one.value,
    one.averageCost,
    one.unrealized,
    one.realized,
    name
  )
}

const minuteText = (now: number): string => new Date(now).toISOString().slice(11, 16)

const unknownAccount = (connection: Connection, reqId: number, name: string): void =>
  connection.error(reqId, 321, `Error validating request.-'bO' : cause - Invalid account code ${name}`)

export const accounts: Handlers = {
  61: (connection) => {
    const { gateway } = connection
    const tell = whenChanged(connection)
    const run = () => {
      const now = gateway.time.now()
      for (const account of gateway.accounts) {
        for (const one of account.all(now)) {
          tell(`${account.name} ${one.instrument.conId}`, positionText(account, one))
        }
      }
    }
    run()
    connection.send(message(62, 1))
    connection.standing.get("positions")?.()
    connection.standing.set("positions", gateway.onTrade(run))
  },
  64: (connection) => {
    connection.standing.get("positions")?.()
    connection.standing.delete("positions")
  },
  6: (connection, fields) => {
    fields.skip(1)
    const subscribe = fields.flag()
    const name = fields.text()
    const { gateway } = connection
    connection.standing.get("account")?.()
    connection.standing.delete("account")
    if (!subscribe) return
    const account = gateway.account(name)
    if (account === null) {
      unknownAccount(connection, -1, name)
      return
    }
    const tell = whenChanged(connection)
    const run = () => {
      const now = gateway.time.now()
      for (const [key, value, currency] of account.values(now)) {
        tell(`value ${key} ${currency}`, message(6, 2, key, value, currency, account.name))
      }
      for (const one of account.all(now)) tell(`position ${one.instrument.conId}`, portfolioText(account, one))
      connection.send(message(8, 1, minuteText(now)))
    }
    const stop = repeated(connection, accountInterval, run)
    connection.send(message(54, 1, account.name))
    const unhook = gateway.onTrade(run)
    connection.standing.set("account", () => {
      stop()
      unhook()
    })
  },
  62: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    fields.text()
    const tags = new Set(fields.text().split(","))
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const { gateway } = connection
    const tell = whenChanged(connection)
    const all = tags.has("All") || [...tags].some((tag) => tag.startsWith("$LEDGER"))
    const run = () => {
      for (const account of gateway.accounts) {
        for (const [key, value, currency] of account.values(gateway.time.now())) {
          if (all || tags.has(key)) {
            tell(`${account.name} ${key} ${currency}`, message(63, 1, reqId, account.name, key, value, currency))
          }
        }
      }
    }
    const stop = repeated(connection, accountInterval, run)
    connection.send(message(64, 1, reqId))
    subscribed(connection, reqId, "summary", stop)
  },
  63: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    if (wasRead(connection, reqId, fields)) connection.unsubscribe(reqId, "summary")
  },
  92: (connection, fields) => {
    const reqId = fields.int()
    const name = fields.text()
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const account = connection.gateway.account(name)
    if (account === null) {
      unknownAccount(connection, reqId, name)
      return
    }
    const tell = whenChanged(connection)
    const stop = repeated(connection, profitInterval, () => {
      const positions = account.all(connection.gateway.time.now())
      const sum = (of: (one: Valued) => number) =>
        Math.round(positions.reduce((total, one) => total + of(one), 0) * 100) / 100
      const totals = [sum((one) => one.daily), sum((one) => one.unrealized), sum((one) => one.realized)]
      tell("", message(94, reqId, ...totals))
    })
    subscribed(connection, reqId, "pnl", stop)
  },
  93: (connection, fields) => {
    const reqId = fields.int()
    if (wasRead(connection, reqId, fields)) connection.unsubscribe(reqId, "pnl")
  },
  94: (connection, fields) => {
    const reqId = fields.int()
    const name = fields.text()
    fields.text()
    const conId = fields.number()
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const account = connection.gateway.account(name)
    if (account === null || account.position(conId) === null) {
      unknownAccount(connection, reqId, name)
      return
    }
    const tell = whenChanged(connection)
    const stop = repeated(connection, profitInterval, () => {
      const position = account.position(conId)
      if (position === null) return
      const one = account.valued(position, connection.gateway.time.now())
      tell("", message(95, reqId, one.quantity, one.daily, one.unrealized, one.realized, one.value))
    })
    subscribed(connection, reqId, "pnlSingle", stop)
  },
  95: (connection, fields) => {
    const reqId = fields.int()
    if (wasRead(connection, reqId, fields)) connection.unsubscribe(reqId, "pnlSingle")
  },
  74: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    const name = fields.text()
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const { gateway } = connection
    const account = gateway.account(name)
    if (account === null) {
      unknownAccount(connection, reqId, name)
      return
    }
    const tell = whenChanged(connection)
    const held = new Set<number>()
    const run = () => {
      for (const { averageCost, instrument, quantity } of account.all(gateway.time.now())) {
        const { conId, currency, exchange, localSymbol, tradingClass } = instrument
        // What was sold before is not told of; what is sold now is, once.
        if (quantity === 0 && !held.has(conId)) continue
        held.add(conId)
        const contract = [...positionContract(instrument), exchange, currency, localSymbol, tradingClass]
        tell(String(conId), message(71, 1, reqId, account.name, ...contract, quantity, averageCost, ""))
      }
    }
    run()
    connection.send(message(72, 1, reqId))
    subscribed(connection, reqId, "positions", gateway.onTrade(run))
  },
  75: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    if (wasRead(connection, reqId, fields)) connection.unsubscribe(reqId, "positions")
  },
  76: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    const name = fields.text()
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const { gateway } = connection
    const account = gateway.account(name)
    if (account === null) {
      unknownAccount(connection, reqId, name)
      return
    }
    const tell = whenChanged(connection)
    const run = () => {
      for (const [key, value, currency] of account.values(gateway.time.now())) {
        tell(`${key} ${currency}`, message(73, 1, reqId, account.name, "", key, value, currency))
      }
    }
    const stop = repeated(connection, accountInterval, run)
    connection.send(message(74, 1, reqId))
    const unhook = gateway.onTrade(run)
    subscribed(connection, reqId, "account", () => {
      stop()
      unhook()
    })
  },
  77: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    if (wasRead(connection, reqId, fields)) connection.unsubscribe(reqId, "account")
  }
}
