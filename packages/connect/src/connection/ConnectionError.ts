/**
 * Why a connection cannot be used as it is declared. Nothing to retry: somebody must change a file or an environment.
 */
import { Schema } from "effect"

/**
 * `Undeclared`: no connection of that name. `Invalid`: the declaration makes no sense. `SecretMissing`: a secret is not
 * where the declaration says. The message names places, never what stands there.
 */
export class ConnectionError extends Schema.TaggedError<ConnectionError>()("ConnectionError", {
  reason: Schema.Literals(["Undeclared", "Invalid", "SecretMissing"]),
  message: Schema.String
}) {}
