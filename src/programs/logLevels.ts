import type { LogLevel } from "effect/LogLevel"

const levels: Readonly<Record<string, LogLevel>> = {
  all: "All",
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  fatal: "Fatal",
  none: "None"
}

export const levelOf = (name: string): LogLevel => levels[name] ?? "Info"

export const isLevel = (name: string): boolean => levels[name] !== undefined
