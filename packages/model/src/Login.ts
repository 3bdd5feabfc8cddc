/**
 * Contract of `authentication`: attempts to log in, with where they came from.
 *
 * `apps/generator` makes them; the security job reads them. Keyed by the address, since guessing is seen there: one address
 * tries many users.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

export class Login extends Schema.Opaque<Login>()(
  Schema.Struct({
    user_id: Field.text(),
    result: Field.oneOf(["failed", "success"]),
    ip: Field.text({ lengthMax: 45 }),
    country: Field.optional(Field.alpha2),
    timestamp: Field.timestamp
  })
) {}

export const Authentication = Topic.make("authentication", { schema: Login, key: "ip", eventTime: "timestamp" })
