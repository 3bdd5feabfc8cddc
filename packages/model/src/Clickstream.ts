/**
 * Contract of `clickstream`: what users do in a shop.
 *
 * `apps/generator` makes it; the sessions job reads it.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

export class Click extends Schema.Opaque<Click>()(
  Schema.Struct({
    user_id: Field.text(),
    /** `product_view` and others; what sends clicks may know more of them than we do. */
    event_type: Field.text(),
    product_id: Field.optional(Field.text()),
    category: Field.optional(Field.text()),
    timestamp: Field.timestamp
  })
) {}

export const Clickstream = Topic.make("clickstream", { schema: Click, key: "user_id", eventTime: "timestamp" })
