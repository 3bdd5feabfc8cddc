// The job of the table tests: orders with what the table says of their customer. Beside it the same answers from a plain
// loop that shares no code with the engine.
import { Field, Topic } from "@frazil/core"
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Flow, Job } from "../../src/index.ts"
import { type Chance } from "./Chance.ts"
import { type Line, readAll } from "./Harness.ts"

class Order extends Schema.Opaque<Order>()(
  Schema.Struct({ id: Field.text(), customer: Field.optional(Field.text()), cents: Field.int(), at: Field.timestamp })
) {}
class Limit extends Schema.Opaque<Limit>()(
  Schema.Struct({
    customer: Field.text(),
    limit: Field.decimal(12, 2),
    segment: Field.optional(Field.text()),
    name: Field.personal(Field.text())
  })
) {}
class Checked extends Schema.Opaque<Checked>()(
  Schema.Struct({
    id: Field.text(),
    limit: Field.optional(Field.decimal(12, 2)),
    segment: Field.optional(Field.text())
  })
) {}

export const Orders = Topic.make("orders", {
  schema: Order,
  key: { field: "customer", else: "id" },
  eventTime: "at",
  partitions: 2
})
export const Limits = Topic.make("limits", { schema: Limit, key: "customer", partitions: 2 })
export const CheckedOrders = Topic.make("checked", { schema: Checked, key: "id", partitions: 1 })

/** With the table's rows in memory, or on disk behind a cache of so many bytes; by a version that takes all that is checked, or less. */
export const checking = (
  cacheBytesMax: number | undefined,
  take: ReadonlyArray<"limit" | "segment"> = ["limit", "segment"]
) =>
  Job.make("checked-orders", [
    Flow.from(Orders).pipe(
      Flow.joinTable(Limits, {
        on: "customer",
        take,
        ...(cacheBytesMax === undefined ? {} : { store: { disk: { cacheBytesMax } } })
      }),
      Flow.to(CheckedOrders)
    )
  ])

export const checkedJob = checking(undefined)

const startMs = Date.UTC(2026, 0, 14)

export const orderLine = (index: number, customer: string | null): Line => ({
  key: customer ?? `o${index}`,
  value: JSON.stringify({ id: `o${index}`, customer, cents: index, at: new Date(startMs + index).toISOString() })
})

export const limitLine = (customer: string, limit: string, segment: string | null = null): Line => ({
  key: customer,
  value: JSON.stringify({ customer, limit: Number(limit), segment, name: "secret" })
})

/** An empty value: the customer is gone. */
export const goneLine = (customer: string): Line => ({ key: customer, value: "" })

export interface Round {
  readonly rows: ReadonlyArray<Line>
  readonly orders: ReadonlyArray<Line>
}

/** Rows that come, change and go, some broken; then orders of customers that may be there, or of nobody. */
export const randomRound = (chance: Chance, from: number, count = 24, customersCount = 9): Round => {
  const customer = () => `C${chance.below(customersCount)}`
  const row = (): Line => {
    if (chance.once(4)) return goneLine(customer())
    const line = limitLine(customer(), `${chance.below(1000)}.5`, chance.pick([null, "gold", "new"]))
    return chance.once(8) ? { ...line, value: line.value.slice(1) } : line
  }
  return {
    rows: Array.from({ length: count }, row),
    orders: Array.from({ length: count }, (_, index) => orderLine(from + index, chance.once(5) ? null : customer()))
  }
}

const parsed = (value: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    return JSON.parse(value) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

/** Every order with the latest row of its customer, when each round's rows are there before its orders. */
export const expectedChecks = (rounds: ReadonlyArray<Round>): ReadonlyArray<string> => {
  const table = new Map<string, Readonly<Record<string, unknown>>>()
  return rounds
    .flatMap(({ orders, rows }) => {
      for (const { key, value } of rows) {
        if (value === "") table.delete(key!)
        else table.set(key!, parsed(value) ?? table.get(key!) ?? {})
      }
      return orders.map(({ value }) => {
        const order = parsed(value)!
        const row = table.get(String(order["customer"]))
        return `${String(order["id"])} ${String(row?.["limit"] ?? null)} ${String(row?.["segment"] ?? null)}`
      })
    })
    .toSorted()
}

/** The checked orders, sorted, as the oracle writes them. */
export const checks = Effect.map(readAll("checked"), (lines) =>
  lines
    .map(({ value }) => {
      const { id, limit, segment } = parsed(value)!
      return `${String(id)} ${String(limit ?? null)} ${String(segment ?? null)}`
    })
    .toSorted()
)

export const assertChecks = (rounds: ReadonlyArray<Round>, what: string) =>
  Effect.map(checks, (found) => assert.deepStrictEqual(found, expectedChecks(rounds), what))
