"""A day of a client of IB's own ibapi: everything that is usually asked, and what came of it as JSON."""

import json
import sys
import threading

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.wrapper import EWrapper


class Client(EWrapper, EClient):
    def __init__(self):
        EWrapper.__init__(self)
        EClient.__init__(self, self)
        self.said = {"errors": [], "counts": {}}
        self.arrived = {}
        self.lock = threading.Lock()

    def count(self, what):
        with self.lock:
            self.said["counts"][what] = self.said["counts"].get(what, 0) + 1

    def done(self, what):
        self.event(what).set()

    def event(self, what):
        with self.lock:
            return self.arrived.setdefault(what, threading.Event())

    def wait(self, what):
        if not self.event(what).wait(10):
            raise SystemExit(f"nothing came of {what}: {json.dumps(self.said)}")

    def error(self, reqId, *rest):
        code = next(one for one in rest if isinstance(one, int) and one < 1_000_000)
        if code not in (2104, 2106, 2158):
            self.said["errors"].append([reqId, code])
            self.done(f"error {code}")

    def nextValidId(self, orderId):
        self.done("ready")

    def managedAccounts(self, accounts):
        self.said["accounts"] = accounts

    def contractDetails(self, reqId, details):
        self.said["details"] = [
            details.contract.conId,
            details.longName,
            details.minTick,
            details.timeZoneId,
            details.liquidHours.split(";")[0],
        ]

    def contractDetailsEnd(self, reqId):
        self.done("details")

    def symbolSamples(self, reqId, samples):
        self.said["matching"] = sorted(one.contract.symbol for one in samples)
        self.done("matching")

    def securityDefinitionOptionParameter(self, reqId, exchange, conId, tradingClass, multiplier, expirations, strikes):
        self.said["chain"] = [len(expirations), len(strikes)]

    def securityDefinitionOptionParameterEnd(self, reqId):
        self.done("chain")

    def historicalData(self, reqId, bar):
        self.count(f"bars {reqId}")

    def historicalDataEnd(self, reqId, start, end):
        self.done(f"bars {reqId}")

    def historicalTicksLast(self, reqId, ticks, done):
        self.said["ticks"] = len(ticks)
        self.done("ticks")

    def headTimestamp(self, reqId, text):
        self.said["head"] = text
        self.done("head")

    def tickPrice(self, reqId, tickType, price, attrib):
        self.count(f"price {reqId}")

    def tickOptionComputation(self, reqId, tickType, *values):
        self.count(f"option {reqId}")

    def tickByTickAllLast(self, reqId, tickType, time, price, size, attribs, exchange, conditions):
        self.count("trades")
        self.done("trades")

    def updateMktDepth(self, reqId, position, operation, side, price, size):
        self.count("book")

    def realtimeBar(self, reqId, time, *rest):
        self.count("seconds")
        self.done("seconds")

    def position(self, account, contract, position, cost):
        self.count("positions")

    def positionEnd(self):
        self.done("positions")

    def updateAccountValue(self, key, value, currency, account):
        if key == "NetLiquidation":
            self.said["net"] = value

    def accountDownloadEnd(self, account):
        self.done("account")

    def accountSummary(self, reqId, account, tag, value, currency):
        self.said["summary"] = [tag, value]

    def accountSummaryEnd(self, reqId):
        self.done("summary")

    def pnl(self, reqId, daily, unrealized, realized):
        self.done("pnl")

    def newsProviders(self, providers):
        self.said["providers"] = len(providers)
        self.done("providers")

    def historicalNews(self, requestId, time, provider, article, headline):
        self.count("news")

    def historicalNewsEnd(self, requestId, hasMore):
        self.done("news")

    def currentTime(self, time):
        self.done("time")


def contract(symbol, secType="STK", exchange="SMART", currency="USD", month="", strike=0.0, right=""):
    one = Contract()
    one.symbol, one.secType, one.exchange, one.currency = symbol, secType, exchange, currency
    one.lastTradeDateOrContractMonth, one.strike, one.right = month, strike, right
    return one


client = Client()
client.connect("127.0.0.1", int(sys.argv[1]), 12)
threading.Thread(target=client.run, daemon=True).start()
client.wait("ready")
client.said["version"] = client.serverVersion()
apple = contract("AAPL")
client.reqContractDetails(1, apple)
client.wait("details")
client.reqMatchingSymbols(2, "A")
client.wait("matching")
client.reqSecDefOptParams(3, "AAPL", "", "STK", 265598)
client.wait("chain")
client.reqHistoricalData(4, apple, "", "1800 S", "1 min", "TRADES", 0, 1, False, [])
client.wait("bars 4")
client.reqHistoricalData(5, apple, "", "5 D", "1 day", "TRADES", 1, 1, False, [])
client.wait("bars 5")
client.reqHeadTimeStamp(7, apple, "TRADES", 1, 1)
client.wait("head")
client.reqPositions()
client.wait("positions")
client.reqAccountUpdates(True, "")
client.wait("account")
client.reqAccountSummary(8, "All", "NetLiquidation")
client.wait("summary")
client.reqPnL(9, "DU1234567", "")
client.wait("pnl")
client.reqNewsProviders()
client.wait("providers")
client.reqHistoricalNews(10, 265598, "BRFG+BRFUPDN+DJNL", "", "", 5, [])
client.wait("news")
client.reqMktData(20, apple, "233", False, False, [])
client.reqMktData(21, contract("AAPL", "OPT", month="20260515", strike=187.5, right="C"), "", False, False, [])
client.reqTickByTickData(22, apple, "AllLast", 0, False)
client.reqMktDepth(23, contract("ES", "FUT", "CME", month="202606"), 5, False, [])
client.reqRealTimeBars(24, apple, 5, "TRADES", False, [])
client.wait("trades")
client.wait("seconds")
client.reqHistoricalTicks(6, apple, "20260410-13:45:00", "", 100, "TRADES", 0, True, [])
client.wait("ticks")
client.cancelMktData(20)
client.cancelMktData(21)
client.cancelTickByTickData(22)
client.cancelMktDepth(23, False)
client.cancelRealTimeBars(24)
client.reqContractDetails(30, contract("NOSUCH"))
client.wait("error 200")
client.reqCurrentTime()
client.wait("time")
client.disconnect()
print(json.dumps(client.said))
