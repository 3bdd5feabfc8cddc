/**
 * What the generator's app says when it cannot begin or go on: one line for a person.
 */
import { Schema } from "effect"

/** `message` says what happened, where, and what to do. There is nothing to retry. */
export class GeneratorError extends Schema.TaggedError<GeneratorError>()("GeneratorError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}
