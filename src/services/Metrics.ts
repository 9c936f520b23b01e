/**
 * What is counted, as Prometheus gets it under /metrics; docs/operations.md explains each for whoever looks at it at night.
 *
 * Label values are bounded: procedures are those of the contract, outcomes and transports are listed here, and a vendor or an
 * account is one that is registered. Nothing that a client chooses (a symbol, a path, an id) is ever a label.
 */
import { Metric } from "effect"
import type { ResponseStatus } from "../domain/Response.ts"
import type { StreamKind } from "../domain/streams/StreamKind.ts"
import type { IbkrState } from "./IbkrSession.ts"

/** How a call ended. `refused`: a typed error of its procedure or of the border; `failed`: a defect of ours. */
export type CallOutcome = "ok" | "refused" | "failed" | "interrupted" | "cut"
export type HttpMethodLabel = "GET" | "HEAD" | "POST" | "OPTIONS" | "other"
export type TransportKind = "tcp" | "unix" | "http" | "websocket"
/** What is refused before a procedure begins: what a client sent, or what there is no room or time for. */
export type RefusalCode =
  | "MalformedLine"
  | "NotAMessage"
  | "UnknownProcedure"
  | "BadPayload"
  | "DuplicateId"
  | "TooLong"
  | "TooBusy"
  | "ShuttingDown"
  | "TenantError"
  | "InternalError"
/** As a Response is archived, and `cancelled` for a request that was given up while the vendor was at it. */
export type VendorStatus = ResponseStatus | "cancelled"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

/** The same metric with labels: made once per combination, so that counting a call allocates nothing. */
const labelled = <Labels extends ReadonlyArray<string>, Input, State>(
  metric: Metric.Metric<Input, State>,
  names: { readonly [K in keyof Labels]: string }
) => {
  const known = new Map<string, Metric.Metric<Input, State>>()
  return (...values: Labels): Metric.Metric<Input, State> => {
    const key = values.length === 1 ? (values[0] ?? "") : values.join("\u0000")
    const found = known.get(key)
    if (found !== undefined) return found
    const made = Metric.withAttributes(
      metric,
      values.map((value, index): [string, string] => [names[index] ?? "", value])
    )
    known.set(key, made)
    return made
  }
}

/** Seconds; from what a covered bar takes to what waits for a vendor's budget. */
const callBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const waitBoundaries = [0.1, 0.5, 1, 5, 15, 60, 300, 600, 1800]

/** Add 1 when a call has ended. */
export const calls = labelled<[procedure: string, outcome: CallOutcome], number, Metric.CounterState<number>>(
  counter("tapestry_calls_total", "Calls that ended, by procedure and outcome"),
  ["procedure", "outcome"]
)
/** Add 1 for each line or call that was refused before it reached its procedure. */
export const refusals = labelled<[code: RefusalCode], number, Metric.CounterState<number>>(
  counter("tapestry_refusals_total", "Lines, calls and connections that were refused at the border, by why"),
  ["code"]
)
/** Seconds from the request to the end of the answer, for streams to their last chunk. */
export const callSeconds = labelled<[procedure: string], number, Metric.HistogramState>(
  Metric.histogram("tapestry_call_seconds", {
    description: "Seconds from a request to the end of its answer",
    boundaries: callBoundaries
  }),
  ["procedure"]
)
/** Gauge: `Metric.modify` by 1 and -1. */
export const streamsOpen = Metric.gauge("tapestry_streams_open", { description: "Streams under way" })
/** Gauge: `Metric.modify` by 1 and -1. */
export const connectionsOpen = labelled<[transport: TransportKind], number, Metric.GaugeState<number>>(
  Metric.gauge("tapestry_connections_open", { description: "Connections, by transport" }),
  ["transport"]
)
/** Counted once a chunk. */
export const rowsSent = counter("tapestry_rows_sent_total", "Rows and records that went to clients in streams")
/** Rows inserted and updated, counted once a commit. */
export const rowsCommitted = counter("tapestry_rows_committed_total", "Rows that commits inserted or changed")
export const archiveHits = counter("tapestry_archive_hits_total", "Vendor requests that the archive answered")
export const archiveMisses = counter(
  "tapestry_archive_misses_total",
  "Vendor requests that the archive could not answer"
)
/** Bytes of answers, before equal ones are stored once. */
export const archiveBytes = counter("tapestry_archive_bytes_total", "Bytes of vendors' answers that were archived")
/** One each disagreement that a comparison found, by field; `row` for bars that one of the two vendors alone has. */
export const reconcileMismatches = labelled<
  [left: string, right: string, field: string],
  number,
  Metric.CounterState<number>
>(counter("tapestry_reconcile_mismatches_total", "Disagreements that comparisons of vendors found"), [
  "left",
  "right",
  "field"
])
/** Arrivals that were not compared because too many waited. */
export const reconcileDropped = counter(
  "tapestry_reconcile_dropped_total",
  "Arrivals that were not compared with another vendor because too many waited"
)
/** One each attempt, retries included. */
export const vendorRequests = labelled<[vendor: string, status: VendorStatus], number, Metric.CounterState<number>>(
  counter("tapestry_vendor_requests_total", "Attempts at vendors, by vendor and how they ended"),
  ["vendor", "status"]
)
/** Seconds that a request waited for its account's budget. */
export const quotaWaitSeconds = labelled<[account: string], number, Metric.HistogramState>(
  Metric.histogram("tapestry_quota_wait_seconds", {
    description: "Seconds that requests waited for the budget of an account",
    boundaries: waitBoundaries
  }),
  ["account"]
)

/**
 * Add 1 when a request over HTTP has its answer. `endpoint` is the path as the server writes it, with the names of its parts and never
 * their values; `other` where there is nothing at the path.
 */
export const httpRequests = labelled<
  [method: HttpMethodLabel, endpoint: string, status: string],
  number,
  Metric.CounterState<number>
>(counter("http_requests_total", "Requests over HTTP, by method, endpoint and status"), [
  "method",
  "endpoint",
  "status"
])
/** Seconds until an answer begins; what is streamed goes on after that. */
export const httpRequestSeconds = labelled<[method: HttpMethodLabel, endpoint: string], number, Metric.HistogramState>(
  Metric.histogram("http_request_duration_seconds", {
    description: "Seconds until the answer to a request over HTTP begins",
    boundaries: callBoundaries
  }),
  ["method", "endpoint"]
)
// Of the endpoints of market data, by the names of the system that these replace.

export const marketRequests = labelled<
  [method: HttpMethodLabel, endpoint: string, status: string],
  number,
  Metric.CounterState<number>
>(counter("market_data_requests_total", "Requests for market data over HTTP, by method, endpoint and status"), [
  "method",
  "endpoint",
  "status_code"
])
/** Seconds until the answer begins. */
export const marketRequestSeconds = Metric.histogram("market_data_request_duration_seconds", {
  description: "Seconds until the answer to a request for market data over HTTP begins",
  boundaries: callBoundaries
})
/** One each attempt at a job that has ended; the names are those of the store that Tapestry replaces. `job_name` is the type. */
export const jobRuns = labelled<
  [name: string, provider: string, mode: string, status: "success" | "failure" | "cancelled"],
  number,
  Metric.CounterState<number>
>(counter("store_job_runs_total", "Attempts at jobs that ended, by how"), ["job_name", "provider", "mode", "status"])
/** Seconds from the beginning of an attempt to its end, with what it was put aside for. */
export const jobRunSeconds = labelled<[name: string, provider: string, mode: string], number, Metric.HistogramState>(
  Metric.histogram("store_job_runs_duration_seconds", {
    description: "Seconds that attempts at jobs took",
    boundaries: [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400]
  }),
  ["job_name", "provider", "mode"]
)

// Of batch processors, by the names of the system whose write coordinator they replace. `coordinator`: the processor's name and the kind.

/** Rows that were taken. */
export const batchSubmitted = labelled<[coordinator: string], number, Metric.CounterState<number>>(
  counter("mds_coord_items_submitted_total", "Rows that batch processors took"),
  ["coord_id"]
)
/** `drop_oldest`: they had to go for newer ones. `queue_full`: they were refused. */
export const batchDropped = labelled<
  [coordinator: string, reason: "drop_oldest" | "queue_full"],
  number,
  Metric.CounterState<number>
>(counter("mds_coord_items_dropped_total", "Rows for which a batch processor had no room"), ["coord_id", "reason"])
/** Rows that are held, those under way too. */
export const batchQueueDepth = labelled<[coordinator: string], number, Metric.GaugeState<number>>(
  Metric.gauge("mds_coord_queue_depth", { description: "Rows that a batch processor holds" }),
  ["coord_id"]
)
export const batchWorkersAlive = labelled<[coordinator: string], number, Metric.GaugeState<number>>(
  Metric.gauge("mds_coord_workers_alive", { description: "Whether rows of a kind are being flushed (1)" }),
  ["coord_id"]
)
/** One breaker for all kinds, so it has the processor's name alone: 0 closed, 1 open, 2 half open. */
export const batchCircuit = labelled<[name: string], number, Metric.GaugeState<number>>(
  Metric.gauge("mds_coord_circuit_state", { description: "The breaker: 0 closed, 1 open, 2 half open" }),
  ["coord_id"]
)
export const batchesWritten = labelled<[coordinator: string], number, Metric.CounterState<number>>(
  counter("mds_worker_batches_written_total", "Batches that were committed"),
  ["coord_id"]
)
/** One each batch, or part of one, that was refused for what is in it; `type` is the tag of the reason. */
export const batchErrors = labelled<[coordinator: string, type: string], number, Metric.CounterState<number>>(
  counter("mds_worker_write_errors_total", "Batches and parts of them that were refused, by the reason"),
  ["coord_id", "error_type"]
)
/** Seconds of a batch from when it is taken up to its end, pauses and tries included. */
export const batchSeconds = labelled<[coordinator: string], number, Metric.HistogramState>(
  Metric.histogram("mds_worker_write_latency_seconds", {
    description: "Seconds that a batch took, its retries included",
    boundaries: callBoundaries
  }),
  ["coord_id"]
)
/** Add 1 for each try to archive and store a batch. */
export const sinkWrites = labelled<[kind: string, status: "success" | "failure"], number, Metric.CounterState<number>>(
  counter("sink_writes_total", "Tries to store a batch, by kind and how they ended"),
  ["sink", "status"]
)
export const sinkSeconds = labelled<[kind: string], number, Metric.HistogramState>(
  Metric.histogram("sink_write_latency_seconds", {
    description: "Seconds of one try to store a batch",
    boundaries: callBoundaries
  }),
  ["sink"]
)

// Live streams, by vendor and kind.

type StreamLabels = [vendor: string, kind: StreamKind]
/** `in`: that vendors sent; `out`: that consumers took; `dropped`: that a consumer was not given; `repeated`: that had come before. */
export const streamRows = labelled<
  [...StreamLabels, way: "in" | "out" | "dropped" | "repeated"],
  number,
  Metric.CounterState<number>
>(counter("tapestry_stream_rows_total", "Rows of live streams, by what became of them"), ["vendor", "kind", "way"])
/** Times that a stream broke. */
export const streamGaps = labelled<StreamLabels, number, Metric.CounterState<number>>(
  counter("tapestry_stream_gaps_total", "Gaps of live streams"),
  ["vendor", "kind"]
)
/** From when a gap was noticed until the vendor sent again. */
export const streamGapSeconds = labelled<StreamLabels, number, Metric.CounterState<number>>(
  counter("tapestry_stream_gap_seconds_total", "Seconds in which live streams did not run"),
  ["vendor", "kind"]
)
export const streamRepairs = labelled<
  [...StreamLabels, outcome: "repaired" | "unrepairable"],
  number,
  Metric.CounterState<number>
>(counter("tapestry_stream_repairs_total", "Parts of gaps, by whether their rows were had"), [
  "vendor",
  "kind",
  "outcome"
])
/** Attempts to have a stream at its vendor, the first one included. */
export const streamOpened = labelled<StreamLabels, number, Metric.CounterState<number>>(
  counter("tapestry_stream_opened_total", "Times that live streams were asked for at vendors"),
  ["vendor", "kind"]
)
export const streamSlowConsumers = labelled<StreamLabels, number, Metric.CounterState<number>>(
  counter("tapestry_stream_slow_consumers_total", "Consumers that were ended because they did not keep up"),
  ["vendor", "kind"]
)
export const streamLagSeconds = labelled<StreamLabels, number, Metric.GaugeState<number>>(
  Metric.gauge("tapestry_stream_lag_seconds", { description: "Age of the newest row of a live stream when it came" }),
  ["vendor", "kind"]
)
export const streamConsumers = Metric.gauge("tapestry_stream_consumers", { description: "Consumers of live streams" })
export const streamQueueDepth = Metric.gauge("tapestry_stream_queue_depth", {
  description: "Rows of live streams that wait for consumers"
})

// Of the JSON feeds over WebSocket, by the names of the system that these replace.

/** Clients that are connected now, in spite of the name. */
export const feedClients = labelled<[type: "quotes" | "depth" | "portfolio"], number, Metric.GaugeState<number>>(
  Metric.gauge("websocket_clients_total", { description: "Clients of JSON feeds over WebSocket" }),
  ["stream_type"]
)
export const feedSent = counter("websocket_messages_sent_total", "Messages that JSON feeds sent to their clients")
/**
 * `conflated`: a newer row took its place. `queue_full`: as many waited as may. `upstream`: the feed itself had no room for more of what the
 * vendor sent, counted for each of its clients.
 */
export const feedDropReasons = ["conflated", "queue_full", "upstream"] as const
export type FeedDropReason = (typeof feedDropReasons)[number]
export const feedDropped = labelled<[reason: FeedDropReason], number, Metric.CounterState<number>>(
  counter("websocket_dropped_messages_total", "Rows that clients of JSON feeds were not sent, by why"),
  ["reason"]
)

// Of sessions with a gateway of Interactive Brokers, by the names of the system that these replace.

/** Sessions in a state. */
export const ibkrStatus = labelled<[status: IbkrState["_tag"]], number, Metric.GaugeState<number>>(
  Metric.gauge("ibkr_connection_status", { description: "Sessions with an IB gateway, by the state they are in" }),
  ["status"]
)
export type SubscriptionType = "quotes" | "trades" | "depth" | "bars" | "news" | "positions" | "account" | "pnl"
/** Subscriptions at a gateway that are wanted now, in spite of the name: one that waits for a line, too. `pnl`: of positions, too. */
export const ibkrSubscriptions = labelled<[type: SubscriptionType], number, Metric.GaugeState<number>>(
  Metric.gauge("ibkr_subscriptions_total", { description: "Subscriptions at an IB gateway, by type" }),
  ["type"]
)
/** Lines of the account, of `market-data`, `depth` and `tick-by-tick`: in use, known to be had, and wanted without one. */
export const ibkrLines = labelled<
  [sort: string, which: "used" | "limit" | "waiting"],
  number,
  Metric.GaugeState<number>
>(Metric.gauge("ibkr_lines", { description: "Lines of an IB account: in use, to be had, and waited for" }), [
  "sort",
  "which"
])
/** Counted when a connection was lost or not made, before the pause. */
export const ibkrReconnects = counter("ibkr_reconnects_total", "Times that an IB gateway had to be tried again")

/** `damaged`: they ended their connection. `undecodable`: the library passed over them. */
export const ibkrDecodeErrors = labelled<[kind: "damaged" | "undecodable"], number, Metric.CounterState<number>>(
  counter("ibkr_decode_errors_total", "Frames of an IB gateway that could not be read"),
  ["kind"]
)

/** Of the market store, run by this process: when it was opened, or by command. */
export const migrationsApplied = counter("migrations_applied_total", "Migrations of the market store that were run")

/** 1 while the stores answer, 0 while they do not; the name is that of the store that Tapestry replaces. */
export const storeUp = Metric.gauge("store_up", { description: "Whether the stores answer (1) or not (0)" })

/** Read when they are asked for; see ProcessMetrics. */
export const residentBytes = Metric.gauge("process_resident_memory_bytes", { description: "Resident memory in bytes" })
export const heapUsedBytes = Metric.gauge("nodejs_heap_size_used_bytes", {
  description: "JavaScript heap in use, in bytes"
})
export const startTimeSeconds = Metric.gauge("process_start_time_seconds", {
  description: "Start of the process, in seconds since 1970"
})
export const uptimeSeconds = Metric.gauge("tapestry_uptime_seconds", {
  description: "Seconds since the process started"
})
export const eventLoopDelaySeconds = Metric.gauge("tapestry_event_loop_delay_seconds", {
  description: "Longest delay of the event loop since it was last asked for, in seconds"
})

/** Counters without labels, which a server shows as 0 from its start: a graph of increases would not see the first one else. */
export const shownFromTheStart = [
  migrationsApplied,
  rowsSent,
  rowsCommitted,
  archiveHits,
  archiveMisses,
  archiveBytes,
  reconcileDropped
]
