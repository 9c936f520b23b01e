/** The flags that every command takes, before or after its name. What they mean is settled in Settings. */
import { Effect, Option } from "effect"
import { Completions, Flag, GlobalFlag } from "effect/cli"
import { Output } from "../terminal/Output.ts"

export const DataDir = GlobalFlag.Setting("data-dir")({
  flag: Flag.String("data-dir").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("Where everything is kept (TAPESTRY_DATA_DIR; .tapestry unless given)"),
    Flag.optional
  )
})

export const ConfigFile = GlobalFlag.Setting("config")({
  flag: Flag.String("config").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("The vendors and their settings (TAPESTRY_CONFIG; tapestry.yaml when it is there)"),
    Flag.optional
  )
})

export const Store = GlobalFlag.Setting("store")({
  flag: Flag.String("store").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription("A PostgreSQL database for the rows (DATABASE_URL), or sqlite for the data directory"),
    Flag.optional
  )
})

export const Tenant = GlobalFlag.Setting("tenant")({
  flag: Flag.String("tenant").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("Whose rows and archive (TAPESTRY_TENANT; default unless given)"),
    Flag.optional
  )
})

export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withoutNegation,
    Flag.withDescription("One JSON document on standard output instead of text"),
    Flag.withDefault(false)
  )
})

export const logLevels = ["all", "trace", "debug", "info", "warn", "error", "fatal", "none"] as const

export const LogLevel = GlobalFlag.Setting("log-level")({
  flag: Flag.Literals("log-level", logLevels).pipe(
    Flag.withMetavar("LEVEL"),
    Flag.withDescription("What is logged on standard error (LOG_LEVEL); debug shows the traces of errors"),
    Flag.optional
  )
})

const shells = ["bash", "zsh", "fish", "powershell"] as const

const PrintCompletions = GlobalFlag.Action({
  flag: Flag.Literals("completions", shells).pipe(
    Flag.withMetavar("SHELL"),
    Flag.withDescription("Print the completion script for a shell"),
    Flag.optional
  ),
  run: Effect.fnUntraced(function* (shell, { command }): Effect.fn.Return<void> {
    const output = yield* Effect.serviceOption(Output)
    if (Option.isNone(shell) || Option.isNone(output)) return
    const script = Completions.generate(command.name, shell.value, Completions.fromCommand(command))
    yield* Effect.ignore(output.value.line(script))
  })
})

/** Declared at the root. */
export const all = [PrintCompletions, DataDir, Store, Tenant, ConfigFile, LogLevel, Json] as const

/** effect/cli's own that are kept; its wizard is left out, its log level and completions are worded anew above. */
export const builtIns = [GlobalFlag.Help, GlobalFlag.Version]
