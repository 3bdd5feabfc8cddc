/** What members of a group tell each other through its coordinator: JSON, decoded where it comes in. */
import { Option, Schema } from "effect"

/** From each member to the one that leads. */
const Offer = Schema.Struct({
  offers: Schema.Array(Schema.String),
  owned: Schema.Array(Schema.String),
  generation: Schema.Finite
})

/** From the one that leads to each. */
const Assignment = Schema.Struct({
  work: Schema.Array(Schema.String),
  /** Of these, what another member had until now, who is still there: it gets a moment to come to an end. */
  moved: Schema.Array(Schema.String)
})

export type Offer = typeof Offer.Type
export type Assignment = typeof Assignment.Type

const bytesOf = (message: unknown): Buffer => Buffer.from(JSON.stringify(message))

const reader = <A>(schema: Schema.Codec<A, unknown>) => {
  const decode = Schema.decodeUnknownOption(Schema.fromJsonString(schema))
  return (bytes: Uint8Array): A | undefined => Option.getOrUndefined(decode(Buffer.from(bytes).toString()))
}

export const writeOffer = (offer: Offer): Buffer => bytesOf(offer)
export const writeAssignment = (assignment: Assignment): Buffer => bytesOf(assignment)
/** Undefined: it is not one of ours. */
export const readOffer = reader(Offer)
export const readAssignment = reader(Assignment)
