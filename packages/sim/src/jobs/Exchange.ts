/**
 * Joins of several topics to simulate: orders, shipments and visits, each of its own fields, key and partitions; judged by the
 * oracle besides.
 *
 * `shipped` pairs an order with shipments of its shop that are close in time, and tells what has none; `latest shipment` has each
 * order with the shipment that was the shop's last; `seen` joins the results of a third join, by customer, with visits.
 */
import { expr, Field, Topic } from "@frazil/core"
import { Flow, Job } from "@frazil/engine"
import { Schema } from "effect"
import type { Random } from "../generate/Random.ts"

class Order extends Schema.Opaque<Order>()(
  Schema.Struct({
    id: Field.text(),
    customer: Field.text(),
    shop: Field.text(),
    cents: Field.int(),
    placed: Field.timestamp
  })
) {}
class Shipment extends Schema.Opaque<Shipment>()(
  Schema.Struct({ sent: Field.timestamp, lost: Field.boolean, shop: Field.text(), code: Field.text() })
) {}
class Visit extends Schema.Opaque<Visit>()(
  Schema.Struct({ page: Field.text(), customer: Field.text(), at: Field.timestamp })
) {}
class Pair extends Schema.Opaque<Pair>()(Schema.Struct({ key: Field.text(), ids: Field.text() })) {}
class Dispatched extends Schema.Opaque<Dispatched>()(
  Schema.Struct({ customer: Field.text(), order: Field.text(), shipment: Field.optional(Field.text()) })
) {}

export const Orders = Topic.make("shop-orders", { schema: Order, key: "customer", eventTime: "placed", partitions: 2 })
export const Shipments = Topic.make("shipments", { schema: Shipment, key: "code", eventTime: "sent", partitions: 3 })
export const Visits = Topic.make("visits", { schema: Visit, key: "customer", eventTime: "at", partitions: 2 })
const found = (name: string) => Topic.make(name, { schema: Pair, key: "key", partitions: 2 })

export const near = { kind: "full", lowerMs: -6_000, upperMs: 9_000 } as const
export const nearLatenessMs = 3_000
export const shipmentMs = 40_000
export const wide = { kind: "left", lowerMs: -5_000, upperMs: 12_000 } as const
export const wideLatenessMs = 4_000
export const seenMs = { kind: "left", lowerMs: -10_000, upperMs: 8_000 } as const
export const centsMin = 40

// moved time all the same
const orders = Flow.from(Orders).pipe(
  Flow.filter(expr(`cents >= ${centsMin}`)),
  Flow.keyBy("shop", { name: "shops", partitions: 3 })
)
const shipments = Flow.from(Shipments).pipe(Flow.keyBy("shop"))
const visits = Flow.from(Visits).pipe(Flow.keyBy("customer"))

const pair = (order: Order | undefined, shipment: Shipment | undefined) => ({
  key: (order ?? shipment)!.shop,
  ids: `${order?.id ?? "-"} ${shipment?.code ?? "-"}`
})

export const exchange = Job.make("exchange", [
  orders.pipe(
    Flow.joinInterval(
      shipments,
      { name: "shipped", kind: "full", lower: "-6s", upper: "9s", allowedLateness: `${nearLatenessMs}ms` },
      pair
    ),
    Flow.to(found("shipped"))
  ),
  orders.pipe(
    Flow.joinAsOf(
      shipments,
      { name: "latest shipment", kind: "left", ttl: `${shipmentMs}ms`, deleted: expr("lost") },
      pair
    ),
    Flow.to(found("latest-shipments"))
  ),
  orders.pipe(
    Flow.joinInterval(
      shipments,
      { name: "dispatched", kind: "left", lower: "-5s", upper: "12s", allowedLateness: `${wideLatenessMs}ms` },
      ({ customer, id }, shipment): Dispatched => ({ customer, order: id, shipment: shipment?.code ?? null })
    ),
    Flow.map((dispatched) => dispatched, { schema: Dispatched }),
    Flow.keyBy("customer", { name: "customers", partitions: 2 }),
    Flow.joinInterval(visits, { name: "seen", kind: "left", lower: "-10s", upper: "8s" }, (dispatched, visit) => ({
      key: dispatched.customer,
      ids: `${dispatched.order} ${dispatched.shipment ?? "-"} ${visit?.page ?? "-"}`
    })),
    Flow.to(found("seen"))
  )
])

const startMs = Date.UTC(2026, 0, 14)
const stepsMs = [0, 500, 1_500, 4_000]
const pausesMs = [15_000, 60_000]
/** Within the watermark's delay, within the lateness of a join, and beyond all. */
const latesMs = [2_000, 5_000, 7_500, 12_000, 40_000]

/** Lines of one topic, some of them broken. */
const linesOf = (random: Random, make: (number: number, at: string) => object): (() => string) => {
  let number = 0
  let atMs = startMs
  const pick = (values: ReadonlyArray<number>): number => values[random.below(values.length)]!
  return () => {
    atMs += random.below(20) === 0 ? pick(pausesMs) : pick(stepsMs)
    const late = random.below(6) === 0 ? pick(latesMs) : 0
    const text = JSON.stringify(make(number++, new Date(atMs - late).toISOString()))
    return random.below(20) === 0 ? text.slice(0, -5) : text
  }
}

export const orderLine = (random: Random) =>
  linesOf(random, (number, placed) => ({
    id: `o${number}`,
    customer: `C${random.below(4)}`,
    shop: `S${random.below(3)}`,
    cents: random.below(500),
    placed
  }))
export const shipmentLine = (random: Random) =>
  linesOf(random, (number, sent) => ({
    sent,
    lost: random.below(5) === 0,
    shop: `S${random.below(3)}`,
    code: `s${number}`
  }))
export const visitLine = (random: Random) =>
  linesOf(random, (number, at) => ({ page: `p${number}`, customer: `C${random.below(4)}`, at }))
