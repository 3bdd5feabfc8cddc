/** What any store must do with records that come again or late (rule 18). */
import { assert } from "@effect/vitest"
import { Decoder, makeRecordBuilder } from "@frazil/core"
import { Effect } from "effect"
import type { SinkRecord, SinkTarget } from "../../src/index.ts"
import { type Count, Counts, jsonOf } from "./SinkFixture.ts"

export const recordAt = (
  customer: string,
  count: number,
  offset: number,
  topicId = "t1",
  partition = 0
): SinkRecord<Count> => {
  const json = jsonOf([customer, count])
  const builder = makeRecordBuilder()
  builder.addText(json, null)
  const decoder = Decoder.make(Counts)
  const batch = decoder.decode({ ...builder.take(), offsets: new Float64Array(1), timestamps: new Float64Array(1) })
  return { topic: Counts.name, topicId, partition, offset, record: decoder.record(batch, 0), json }
}

/** `read` gives a customer's count in the store; undefined when there is none. */
export const storeCases = Effect.fnUntraced(function* <E>(
  { deliver }: SinkTarget<Count>,
  read: (customer: string) => Effect.Effect<string | undefined, E>
) {
  yield* deliver([recordAt("A", 1, 10), recordAt("B", 5, 11), recordAt("A", 2, 12)])
  assert.deepStrictEqual([yield* read("A"), yield* read("B")], ["2", "5"])
  // again, and late
  yield* deliver([recordAt("A", 1, 10), recordAt("B", 5, 11)])
  yield* deliver([recordAt("A", 9, 12)])
  assert.deepStrictEqual([yield* read("A"), yield* read("B")], ["2", "5"])
  yield* deliver([recordAt("A", 3, 13)])
  assert.strictEqual(yield* read("A"), "3")
  // a topic made anew counts from 0 again
  yield* deliver([recordAt("A", 4, 0, "t2")])
  assert.strictEqual(yield* read("A"), "4")
  assert.strictEqual(yield* read("C"), undefined)
})
