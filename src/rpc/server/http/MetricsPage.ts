import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"

/** GET /metrics: every metric of the process in Prometheus' text format. */
export const page = Effect.map(PrometheusMetrics.format(), (text) =>
  HttpServerResponse.text(text, {
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    headers: { "cache-control": "no-store" }
  })
)
