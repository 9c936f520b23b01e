import { Context } from "effect"
import type { EpochMillis } from "../../domain/TimeRange.ts"

/** What `System.hello` says of this server. */
export class ServerInfo extends Context.Service<
  ServerInfo,
  {
    /** The release, as `tapestry --version` prints it. */
    readonly product: string
    readonly startedAt: EpochMillis
  }
>()("tapestry/ServerInfo") {}
