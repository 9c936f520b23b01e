import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { onlyAccount } from "../../domain/streams/StreamKey.ts"
import { asCommand } from "../failure/UsageError.ts"
import { portfolioBoard } from "../streams/PortfolioBoard.ts"
import { onBoard } from "../streams/showing.ts"
import { streamFlags } from "../streams/watching.ts"

const flags = {
  account: Argument.String("account").pipe(
    Argument.withDescription("The account; the only one unless given"),
    Argument.optional
  ),
  vendor: streamFlags.vendor,
  count: streamFlags.count,
  once: Flag.Boolean("once").pipe(Flag.withDescription("End when all that there is has come"), Flag.withDefault(false))
}

const portfolio = Effect.fn("tapestry portfolio")(function* ({
  account,
  ...input
}: Command.Command.Config.Infer<typeof flags>) {
  const symbols = [Option.getOrElse(account, () => onlyAccount)]
  yield* onBoard({ ...input, kind: ["portfolio", "account", "pnl"], symbols }, portfolioBoard)
}, asCommand("portfolio"))

export const command = Command.make("portfolio", flags, portfolio).pipe(
  Command.withDescription(
    "What an account holds, is worth and has won today, as it changes, until Ctrl-C. On a terminal a table that redraws in place; in a pipe, or with --json, one JSON object a line: of positions, of figures of the account, and of profit and loss."
  ),
  Command.withExamples([
    { command: "tapestry portfolio", description: "The only account, of the one vendor that streams" },
    { command: "tapestry portfolio U1234567 --vendor ibkr", description: "One of several" },
    {
      command: "tapestry portfolio --once --json | jq 'select(.event == \"Portfolio\")'",
      description: "The positions, once"
    }
  ])
)
