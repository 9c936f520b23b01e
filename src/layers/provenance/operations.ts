/**
 * What was decided about series, in the order in which it was: with the responses all that the market store is made of.
 *
 * An operation is recorded before the store does it. A process that dies in between leaves one that is recorded and not done,
 * which the next plan of the series does; the other way round it would be done and forgotten by a rebuild.
 */
import { Effect } from "effect"
import { ResponseId } from "../../domain/Response.ts"
import type { SeriesChange, SeriesOperation } from "../../domain/SeriesOperation.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { reached } from "../FaultPoint.ts"
import * as Planned from "../sqlite/planned.ts"
import type { SqliteDatabase, SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { wholeMillis } from "../wholeMillis.ts"
import { archiveError } from "./archiveError.ts"
import type { GroupCommit } from "./GroupCommit.ts"
import { seriesRow } from "./identities.ts"

type Operations = Pick<ProvenanceStore["Service"], "recordOperation" | "operationsOf">

const insertOperation = `insert into main.operations (tenant, series, kind, range_start, range_end, known_at, response, after, recorded_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`
const insertResponse = "insert into operation_responses (operation, response) values (?, ?)"
const selectOperations = `select o.id, o.kind, o.range_start, o.range_end, o.known_at, o.after, o.recorded_at,
  o.response from operations o
  where o.series = (select id from series where key = ${Planned.text}) and o.id > ? order by o.id limit ${Planned.number}`
const selectResponses =
  "select response from operation_responses where operation = ? and response > ? order by response limit ?"
/** Rows read between two turns of the event loop. */
const stepRows = 2_000

/** The latest instant that the archive has recorded: nothing that comes later may be earlier. */
export const latestInstant = (db: SyncDatabase, now: number): number => {
  const response = db.prepare("select fetched_at from main.responses order by id desc limit 1").get()
  const operation = db.prepare("select recorded_at from main.operations order by id desc limit 1").get()
  return Math.max(now, Number(response?.[0] ?? now), Number(operation?.[0] ?? now))
}

const knownAt = (change: SeriesChange): number | null => {
  switch (change._tag) {
    case "Published":
    case "Confirmed":
      return change.at
    case "Admitted":
      return change.comparedAt ?? null
    case "Believed":
      return change.had
    default:
      return null
  }
}

const insert = (db: SyncDatabase, series: string, change: SeriesChange, now: number): SeriesOperation => {
  const after = Number(db.prepare("select id from main.responses order by id desc limit 1").get()?.[0] ?? 0)
  const recordedAt = latestInstant(db, now)
  const range = "range" in change ? change.range : null
  const id = db
    .prepare(insertOperation)
    .run(
      db.tenant,
      seriesRow(db, series),
      change._tag,
      range?.start ?? null,
      range?.end ?? (change._tag === "Admitted" ? (change.apart ?? null) : null),
      knownAt(change),
      "response" in change ? change.response : null,
      after,
      recordedAt
    ).lastInsertRowid
  return { id, series, after, recordedAt, change }
}

const insertMembers = (db: SyncDatabase, operation: number, responses: ReadonlyArray<ResponseId>): void => {
  for (const response of responses) db.prepare(insertResponse).run(operation, response)
}

const toChange = (row: ReadonlyArray<SqlValue>, responses: ReadonlyArray<ResponseId>): SeriesChange => {
  const [, kind, start, end, at] = row
  switch (kind) {
    case "Invalidated":
      return { _tag: kind, range: { start: Number(start), end: Number(end) } }
    case "Published":
      return { _tag: kind, at: Number(at), responses }
    case "Admitted":
      return {
        _tag: kind,
        response: ResponseId.make(Number(row[7])),
        ...(at === null ? {} : { comparedAt: Number(at) }),
        ...(end === null ? {} : { apart: Number(end) })
      }
    case "Believed":
      return {
        _tag: kind,
        response: ResponseId.make(Number(row[7])),
        range: { start: Number(start), end: Number(end) },
        had: Number(at)
      }
    case "Confirmed":
      return { _tag: kind, at: Number(at) }
    case "Forgotten":
      return { _tag: kind }
    default:
      return { _tag: "Recalled" }
  }
}

/** The operations of a series, read in steps: a series that is watched for years has many, and a publication may name thousands of responses. */
class Reading {
  readonly operations: Array<SeriesOperation> = []
  private readonly series: string
  private after: number
  private rows: ReadonlyArray<ReadonlyArray<SqlValue>> = []
  private at = 0
  private ended = false
  private members: Array<ResponseId> = []

  constructor(series: string, after: number) {
    this.series = series
    this.after = after
  }

  /** Says whether that was the last step. */
  step(db: SyncDatabase): boolean {
    for (let budget = stepRows; budget > 0; ) {
      const row = this.rows[this.at]
      if (row !== undefined) {
        if (row[1] === "Published") budget -= 1 + this.readMembers(db, Number(row[0]), budget)
        if (budget > 0) this.add(row)
        continue
      }
      if (this.ended) return true
      this.rows = db.prepare(selectOperations).all(this.series, this.after, stepRows)
      this.at = 0
      this.ended = this.rows.length < stepRows
      this.after = Number(this.rows.at(-1)?.[0] ?? this.after)
      budget -= this.rows.length
    }
    return this.ended && this.at === this.rows.length
  }

  /** Up to so many more; says how many they were. */
  private readMembers(db: SyncDatabase, operation: number, most: number): number {
    const found = db.prepare(selectResponses).all(operation, this.members.at(-1) ?? 0, most)
    for (const [response] of found) this.members.push(ResponseId.make(Number(response)))
    return found.length
  }

  private add(row: ReadonlyArray<SqlValue>): void {
    this.operations.push({
      id: Number(row[0]),
      series: this.series,
      after: Number(row[5]),
      recordedAt: Number(row[6]),
      change: toChange(row, this.members)
    })
    this.members = []
    this.at++
  }
}

export const make = (database: SqliteDatabase, writer: GroupCommit): Operations => {
  /** One transaction over several turns of the event loop. */
  const inSteps = (series: string, change: SeriesChange, now: number, members: ReadonlyArray<ResponseId>) =>
    database.transaction(
      "operation",
      Effect.fnUntraced(function* (step) {
        const inserted = yield* step((db) => insert(db, series, change, now))
        for (let at = 0; at < members.length; at += stepRows) {
          yield* Effect.yieldNow
          yield* step((db) => insertMembers(db, inserted.id, members.slice(at, at + stepRows)))
        }
        return inserted
      })
    )

  return {
    recordOperation: Effect.fn("ProvenanceStore.recordOperation")(function* (series, change) {
      const now = yield* wholeMillis
      const members = change._tag === "Published" ? change.responses : []
      const operation = yield* Effect.mapError(
        members.length > stepRows
          ? inSteps(series, change, now, members)
          : writer.submit("durable", (db) => {
              const inserted = insert(db, series, change, now)
              insertMembers(db, inserted.id, members)
              return inserted
            }),
        archiveError
      )
      yield* reached("operationRecorded")
      return operation
    }),

    operationsOf: Effect.fnUntraced(function* (series: string, after: number) {
      const reading = new Reading(series, after)
      const step = Effect.mapError(
        database.read("operations", (db) => reading.step(db)),
        archiveError
      )
      while (!(yield* step)) yield* Effect.yieldNow
      return reading.operations
    })
  }
}
