import { Schema } from "effect"

/**
 * What a live stream is of. `quotes`: the top of the book with the day's figures. `trades`: every print. `depth`: the book. `bars`: bars as
 * they close. `portfolio`, `account`, `pnl`: of an account and not of an instrument. `news`: headlines.
 */
export const StreamKind = Schema.Literals(["quotes", "trades", "depth", "bars", "portfolio", "account", "pnl", "news"])
export type StreamKind = typeof StreamKind.Type

/**
 * True of kinds of which each row counts: what came between two looks is part of the tape, and a gap leaves rows out. Of the others the
 * newest row says all that still holds, and a row that nobody has looked at is replaced by the next.
 */
export const isTape = (kind: StreamKind): boolean => kind === "trades" || kind === "bars" || kind === "news"

export type AccountKind = Extract<StreamKind, "portfolio" | "account" | "pnl">

/** True of kinds that are of an account and not of an instrument: what the vendor has to say of it comes whole first, up to SnapshotComplete. */
export const isOfAccount = (kind: StreamKind): kind is AccountKind =>
  kind === "portfolio" || kind === "account" || kind === "pnl"
