/** A redrive sends each failed record that fits once: over several runs, conditions, crashes and outcomes nobody knows. */
import { assert, describe, it } from "@effect/vitest"
import { Field, Topic } from "@frazil/core"
import { Effect, Schema } from "effect"
import { Log, LogError, redrive } from "../../src/index.ts"
import { crashAt, onLog } from "../support/Faults.ts"
import { append, type Line, readAll, world } from "../support/Harness.ts"

class Order extends Schema.Opaque<Order>()(Schema.Struct({ id: Field.text(), account: Field.text() })) {}
class FailedOrder extends Schema.Opaque<FailedOrder>()(
  Schema.Struct({ ...Order.fields, status: Field.text(), attempts: Field.int() })
) {}

const Orders = Topic.make("orders", { schema: Order, key: "account", partitions: 3 })
const FailedOrders = Topic.make("failed-orders", { schema: FailedOrder, key: "account", partitions: 2 })

const statusOf = (i: number) => (i % 3 === 0 ? "TIMEOUT" : i % 3 === 1 ? "ERROR" : "UNKNOWN")

/** Failed orders; every 11th line is broken. */
const failures = (count: number, from = 0): ReadonlyArray<Line> =>
  Array.from({ length: count }, (_, index) => {
    const i = from + index
    const account = `A${(i * 7) % 5}`
    const value = JSON.stringify({ id: `o${i}`, account, status: statusOf(i), attempts: 3 })
    return { key: account, value: i % 11 === 10 ? value.slice(0, -3) : value }
  })

const fitting = (lines: ReadonlyArray<Line>, ...statuses: ReadonlyArray<string>) =>
  lines.flatMap(({ value }) => {
    if (!value.endsWith("}")) return []
    const { account, id, status } = JSON.parse(value) as { id: string; account: string; status: string }
    return statuses.includes(status) ? [JSON.stringify({ id, account })] : []
  })

const send = (...statuses: ReadonlyArray<string>) =>
  redrive({ from: FailedOrders, to: Orders, where: ({ status }) => statuses.includes(String(status)) })

const sentNow = Effect.map(readAll("orders"), (lines) => lines.map(({ value }) => value).sort())

describe("a redrive", () => {
  it.effect("sends what fits, as the target declares it, and not again", () =>
    Effect.gen(function* () {
      const lines = failures(200)
      yield* append(FailedOrders, lines)
      const timeouts = fitting(lines, "TIMEOUT")
      assert.deepStrictEqual(yield* send("TIMEOUT"), { sent: timeouts.length, sentBefore: 0, unfit: 18 })
      assert.deepStrictEqual(yield* sentNow, timeouts.toSorted())
      assert.deepStrictEqual(yield* send("TIMEOUT"), { sent: 0, sentBefore: timeouts.length, unfit: 18 })
      // another condition that takes some of the same
      const both = fitting(lines, "TIMEOUT", "ERROR")
      const more = yield* send("TIMEOUT", "ERROR")
      assert.deepStrictEqual(more, { sent: both.length - timeouts.length, sentBefore: timeouts.length, unfit: 18 })
      assert.deepStrictEqual(yield* sentNow, both.toSorted())
      for (const { key, value } of yield* readAll("orders")) assert.strictEqual(key, JSON.parse(value).account)
    }).pipe(Effect.provide(world))
  )

  it.effect("sends what failed again as the new record that it is", () =>
    Effect.gen(function* () {
      yield* append(FailedOrders, failures(20))
      yield* send("ERROR")
      const again = failures(20)
      yield* append(FailedOrders, again)
      assert.strictEqual((yield* send("ERROR")).sent, fitting(again, "ERROR").length)
    }).pipe(Effect.provide(world))
  )

  for (const point of ["after-init", "before-epoch-commit", "during-epoch-commit", "after-epoch-commit"] as const) {
    it.effect(`that dies at ${point} sends the rest when it is run again`, () =>
      Effect.gen(function* () {
        const lines = failures(200)
        yield* append(FailedOrders, lines)
        const ended = yield* Effect.exit(send("TIMEOUT").pipe(crashAt(point, 1)))
        assert.strictEqual(ended._tag, "Failure")
        yield* send("TIMEOUT")
        assert.deepStrictEqual(yield* sentNow, fitting(lines, "TIMEOUT").toSorted())
      }).pipe(Effect.provide(world))
    )
  }

  for (const landed of [true, false]) {
    it.effect(`reads back a commit whose answer was lost and that ${landed ? "landed" : "did not"}`, () =>
      Effect.gen(function* () {
        const lines = failures(200)
        yield* append(FailedOrders, lines)
        let commits = 0
        const unknown = onLog((log) => ({
          commit: (epoch) => {
            const lost = new LogError({ reason: "OutcomeUnknown", message: "the answer was lost" })
            if (++commits > 1) return log.commit(epoch)
            return landed ? Effect.andThen(log.commit(epoch), lost) : lost
          }
        }))
        const expected = fitting(lines, "TIMEOUT")
        assert.strictEqual((yield* send("TIMEOUT").pipe(unknown)).sent, expected.length)
        assert.deepStrictEqual(yield* sentNow, expected.toSorted())
      }).pipe(Effect.provide(world))
    )
  }

  it.effect("refuses a topic that was made anew: what was sent of the old one says nothing of it", () =>
    Effect.gen(function* () {
      const log = yield* Log
      yield* append(FailedOrders, failures(20))
      yield* send("TIMEOUT")
      yield* log.deleteTopic("failed-orders")
      yield* append(FailedOrders, failures(5))
      const error = yield* Effect.flip(send("TIMEOUT"))
      assert.strictEqual(error.reason, "TopicRecreated")
      assert.match(error.message, /failed-orders was deleted and made anew/)
    }).pipe(Effect.provide(world))
  )
})
