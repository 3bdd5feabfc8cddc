/**
 * Why a call over HTTP has no answer to look at. Messages name the connection, never what was sent or received.
 */
import { Schema } from "effect"

/**
 * `Unreachable`: nobody answered there, or the line broke; worth another try. `Untrusted`: the certificate is not one to
 * trust. `NotHttp`: what came is no answer of HTTP. `TooLong`: it is longer than it may be.
 */
export class HttpError extends Schema.TaggedError<HttpError>()("HttpError", {
  reason: Schema.Literals(["Unreachable", "Untrusted", "NotHttp", "TooLong"]),
  message: Schema.String
}) {}
