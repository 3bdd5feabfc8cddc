/**
 * Nexmark's input: one topic with three kinds of events, and each kind as a flow of its own.
 *
 * A record is flat: `event_type`, the time, and the fields of its kind; `CanonicalLine.ts` makes it of other forms. Names are
 * Nexmark's in snake case. The watermark follows all three kinds, as in nexmark-flink, whose views lie over one table.
 */
import { type DurationText, expr, Field, type Timestamp, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { span } from "./Span.ts"

export const eventTypes = ["person", "auction", "bid"] as const
export type EventType = (typeof eventTypes)[number]

const text = Field.optional(Field.text())
const int = Field.optional(Field.int())
const time = Field.optional(Field.timestamp)

export class Event extends Schema.Opaque<Event>()(
  Schema.Struct({
    event_type: Field.oneOf(eventTypes),
    date_time: Field.timestamp,
    /** The auction that it is, or that is bid on; 0 for a person. */
    auction: Field.int(),
    /** The person that it is, who sells, or who bids. */
    person: Field.int(),
    /** A person's or an auction's. */
    id: int,
    name: text,
    email_address: text,
    credit_card: text,
    city: text,
    state: text,
    item_name: text,
    description: text,
    initial_bid: int,
    reserve: int,
    expires: time,
    seller: int,
    category: int,
    bidder: int,
    price: int,
    channel: text,
    url: text,
    extra: text
  })
) {}

/** What the topic is partitioned by. */
export type EventKey = "auction" | "person"

export const eventsTopic = (key: EventKey) => Topic.make("nexmark", { schema: Event, key, partitions: 1 })

export class Person extends Schema.Opaque<Person>()(
  Schema.Struct({
    person: Field.int(),
    id: Field.int(),
    name: text,
    email_address: text,
    credit_card: text,
    city: text,
    state: text,
    date_time: Field.timestamp,
    extra: text
  })
) {}

export class Auction extends Schema.Opaque<Auction>()(
  Schema.Struct({
    auction: Field.int(),
    person: Field.int(),
    id: Field.int(),
    item_name: text,
    description: text,
    initial_bid: int,
    reserve: int,
    date_time: Field.timestamp,
    expires: Field.timestamp,
    seller: Field.int(),
    category: Field.int(),
    extra: text
  })
) {}

export class Bid extends Schema.Opaque<Bid>()(
  Schema.Struct({
    auction: Field.int(),
    person: Field.int(),
    bidder: Field.int(),
    /** Cents. */
    price: Field.int(),
    channel: text,
    url: text,
    date_time: Field.timestamp,
    extra: text
  })
) {}

/** What an event of its kind must have; without it, the event is a dead letter. */
const given = <V extends number>(field: string, value: V | null | undefined): V => {
  if (value === null || value === undefined) throw new TypeError(`the event has no ${field}`)
  return value
}

const personOf = (event: Event): Person => ({
  person: event.person,
  id: given("id", event.id),
  name: event.name ?? null,
  email_address: event.email_address ?? null,
  credit_card: event.credit_card ?? null,
  city: event.city ?? null,
  state: event.state ?? null,
  date_time: event.date_time,
  extra: event.extra ?? null
})

const auctionOf = (event: Event): Auction => ({
  auction: event.auction,
  person: event.person,
  id: given("id", event.id),
  item_name: event.item_name ?? null,
  description: event.description ?? null,
  initial_bid: event.initial_bid ?? null,
  reserve: event.reserve ?? null,
  date_time: event.date_time,
  expires: given<Timestamp>("expires", event.expires),
  seller: given("seller", event.seller),
  category: given("category", event.category),
  extra: event.extra ?? null
})

const bidOf = (event: Event): Bid => ({
  auction: event.auction,
  person: event.person,
  bidder: given("bidder", event.bidder),
  price: given("price", event.price),
  channel: event.channel ?? null,
  url: event.url ?? null,
  date_time: event.date_time,
  extra: event.extra ?? null
})

/** The events, and each kind by itself; the same watermark moves all, however far ahead of the rest an event is. */
export const openEvents = (key: EventKey, outOfOrderness: DurationText) => {
  const events = Flow.from(eventsTopic(key)).pipe(Flow.eventTime("date_time", { outOfOrderness, lead: span }))
  return {
    events,
    persons: events.pipe(Flow.filter(expr("event_type == 'person'")), Flow.map(personOf, { schema: Person })),
    auctions: events.pipe(Flow.filter(expr("event_type == 'auction'")), Flow.map(auctionOf, { schema: Auction })),
    bids: events.pipe(Flow.filter(expr("event_type == 'bid'")), Flow.map(bidOf, { schema: Bid }))
  }
}

export type Input = ReturnType<typeof openEvents>
