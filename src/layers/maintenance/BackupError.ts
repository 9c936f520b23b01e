import { Schema } from "effect"

/** Why a backup could not be made or put back; `message` names the place and what to do. What was there before is untouched. */
export class BackupError extends Schema.TaggedError<BackupError>()("BackupError", { message: Schema.String }) {}
