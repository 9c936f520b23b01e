/**
 * What this adapter asks of the library, in types of its own: the library's declarations reach into rxjs and do not compile in every
 * project, and whoever embeds Tapestry would have to.
 */

/** A contract as IB describes one; what is left out is not said. */
export interface IbContract {
  readonly conId?: number
  readonly symbol?: string
  readonly secType?: string
  /** `yyyymmdd` of an option or future. */
  readonly lastTradeDateOrContractMonth?: string
  readonly strike?: number
  readonly right?: string
  readonly multiplier?: number
  readonly exchange?: string
  readonly primaryExch?: string
  readonly currency?: string
  readonly localSymbol?: string
  readonly tradingClass?: string
  readonly includeExpired?: boolean
}

/** An order as IB takes it; what is left out is as IB has it by default. */
export interface IbOrder {
  /** `MKT` or `LMT`. */
  readonly orderType: string
  /** `BUY` or `SELL`. */
  readonly action?: string
  readonly totalQuantity?: number
  readonly lmtPrice?: number
  /** `DAY` or `GTC`. */
  readonly tif?: string
  readonly account?: string
  /** What the client calls it; IB keeps it with the order. */
  readonly orderRef?: string
  /** False: it is kept at the gateway until somebody releases it. */
  readonly transmit?: boolean
}

/** Each hands one message to the socket, in the turn in which it is called. */
export interface GatewayApi {
  reqCurrentTime(): unknown
  placeOrder(id: number, contract: IbContract, order: IbOrder): unknown
  cancelOrder(id: number): unknown
  reqAllOpenOrders(): unknown
  reqCompletedOrders(apiOnly: boolean): unknown
  reqHistoricalData(
    id: number,
    contract: IbContract,
    endDateTime: string,
    duration: string,
    barSize: string,
    whatToShow: string,
    useRth: boolean,
    formatDate: number,
    keepUpToDate: boolean
  ): unknown
  cancelHistoricalData(id: number): unknown
  reqHistoricalTicks(
    id: number,
    contract: IbContract,
    startDateTime: string,
    endDateTime: string | null,
    numberOfTicks: number,
    whatToShow: string,
    useRth: boolean,
    ignoreSize: boolean
  ): unknown
  reqMarketDataType(type: number): unknown
  reqMktData(id: number, contract: IbContract, genericTicks: string, snapshot: boolean, regulatory: boolean): unknown
  cancelMktData(id: number): unknown
  reqTickByTickData(id: number, contract: IbContract, type: string, numberOfTicks: number, ignoreSize: boolean): unknown
  cancelTickByTickData(id: number): unknown
  reqRealTimeBars(id: number, contract: IbContract, barSize: number, whatToShow: string, useRth: boolean): unknown
  cancelRealTimeBars(id: number): unknown
  reqMktDepth(id: number, contract: IbContract, rows: number, smart: boolean): unknown
  cancelMktDepth(id: number, smart: boolean): unknown
  reqNewsBulletins(all: boolean): unknown
  cancelNewsBulletins(): unknown
  reqPositionsMulti(id: number, account: string, model: string): unknown
  cancelPositionsMulti(id: number): unknown
  reqAccountUpdatesMulti(id: number, account: string, model: string, ledgerAndNlv: boolean): unknown
  cancelAccountUpdatesMulti(id: number): unknown
  reqPnL(id: number, account: string, model: string): unknown
  cancelPnL(id: number): unknown
  reqPnLSingle(id: number, account: string, model: string, conId: number): unknown
  cancelPnLSingle(id: number): unknown
  reqHeadTimestamp(id: number, contract: IbContract, whatToShow: string, useRth: boolean, formatDate: number): unknown
  cancelHeadTimestamp(id: number): unknown
  reqContractDetails(id: number, contract: IbContract): unknown
  reqMatchingSymbols(id: number, pattern: string): unknown
  reqSecDefOptParams(id: number, symbol: string, futFopExchange: string, secType: string, conId: number): unknown
}
