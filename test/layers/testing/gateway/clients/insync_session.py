"""A day of a client of ib_async, or of ib_insync before it: everything that is usually asked, and what came of it as JSON."""

import json
import sys

try:
    import ib_async as ib_lib
except ImportError:
    import ib_insync as ib_lib

port = int(sys.argv[1])
ib = ib_lib.IB()
errors = []
ib.errorEvent += lambda reqId, code, text, contract: errors.append([reqId, code])
ib.connect("127.0.0.1", port, clientId=11, timeout=10)

said = {"version": ib.client.serverVersion(), "library": ib_lib.__name__}
said["accounts"] = ib.managedAccounts()
said["positions"] = len(ib.positions())
said["portfolio"] = len(ib.portfolio())
said["net"] = [one.value for one in ib.accountValues() if one.tag == "NetLiquidation"]
said["summary"] = [one.value for one in ib.accountSummary() if one.tag == "NetLiquidation"]

apple = ib_lib.Stock("AAPL", "SMART", "USD")
euro = ib_lib.Forex("EURUSD")
said["qualified"] = [one.conId for one in ib.qualifyContracts(apple, euro)]
details = ib.reqContractDetails(apple)
said["details"] = [details[0].longName, details[0].minTick, details[0].timeZoneId]
said["matching"] = sorted(one.contract.symbol for one in ib.reqMatchingSymbols("A"))
chains = ib.reqSecDefOptParams("AAPL", "", "STK", apple.conId)
said["chains"] = [[one.exchange, len(one.expirations), len(one.strikes)] for one in chains]
chain = chains[0]
call = ib_lib.Option("AAPL", sorted(chain.expirations)[1], sorted(chain.strikes)[20], "C", "SMART")
ib.qualifyContracts(call)
said["option"] = call.localSymbol

bars = ib.reqHistoricalData(apple, "", "1800 S", "1 min", "TRADES", False, 1)
said["bars"] = [len(bars), str(bars[0].date), bars[0].open, bars[-1].close]
days = ib.reqHistoricalData(apple, "", "5 D", "1 day", "TRADES", True, 1)
said["days"] = [str(one.date) for one in days]
ticks = ib.reqHistoricalTicks(apple, "", ib.reqCurrentTime(), 100, "TRADES", False)
said["ticks"] = len(ticks)
said["head"] = str(ib.reqHeadTimeStamp(apple, "TRADES", True, 1))
said["providers"] = [one.code for one in ib.reqNewsProviders()]
news = ib.reqHistoricalNews(apple.conId, "BRFG+BRFUPDN+DJNL", "", "", 5)
news = news if isinstance(news, list) else [news]
said["news"] = len(news)
said["article"] = ib.reqNewsArticle(news[0].providerCode, news[0].articleId).articleText

quote = ib.reqMktData(apple, "233,292", False, False)
forex = ib.reqMktData(euro, "", False, False)
option = ib.reqMktData(call, "100,101", False, False)
traded = []
trades = ib.reqTickByTickData(apple, "AllLast")
trades.updateEvent += lambda ticker: traded.extend(ticker.tickByTicks)
future = ib_lib.Future("ES", "202606", "CME")
ib.qualifyContracts(future)
book = ib.reqMktDepth(future, 5)
seconds = ib.reqRealTimeBars(apple, 5, "TRADES", False)
profit = ib.reqPnL(ib.managedAccounts()[0])


def live():
    """What has come by now; between two messages of one change a bid may be above its ask."""
    return {
        "quote": [quote.bid < quote.ask, quote.last > 0, quote.volume > 0, quote.close > 0],
        "forex": forex.bid < forex.ask,
        "greeks": [option.modelGreeks is not None, option.bidGreeks is not None],
        "book": [len(book.domBids), len(book.domAsks)],
        "enough": len(traded) > 10 and len(seconds) >= 3,
        "profit": profit.dailyPnL == profit.dailyPnL,
    }


whole = {
    "quote": [True] * 4,
    "forex": True,
    "greeks": [True, True],
    "book": [5, 5],
    "enough": True,
    "profit": True,
}
for _ in range(400):
    ib.sleep(0.05)
    if live() == whole:
        break
said.update(live())
ib.cancelMktData(apple)
ib.cancelMktData(call)
ib.cancelTickByTickData(apple, "AllLast")
ib.cancelMktDepth(future)
ib.cancelRealTimeBars(seconds)
ib.cancelPnL(ib.managedAccounts()[0])
try:
    unknown = ib.reqContractDetails(ib_lib.Stock("NOSUCH", "SMART", "USD"))
    said["unknown"] = len(unknown)
except Exception as error:
    said["unknown"] = 0
ib.sleep(0.2)
ib.disconnect()
said["errors"] = [one for one in errors if one[1] not in (2104, 2106, 2158)]
print(json.dumps(said))
