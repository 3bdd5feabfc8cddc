/** What a command cannot do, or found wrong: one line for a person. */
import { Schema } from "effect"

export class CommandError extends Schema.TaggedError<CommandError>()("CommandError", { message: Schema.String }) {}
