/** Failed payments go back to their topic once, by the condition that a person gives. */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../DataFixture.ts"
import { frazil, frazilJson } from "../RunFrazil.ts"

const failed = (i: number, status: string) =>
  JSON.stringify({
    payment_id: `P${i}`,
    claim_id: `C${i % 7}`,
    payment_amount: "12.50",
    payment_date: "2026-01-14T12:00:00.000Z",
    processor_id: "X1",
    enrichment_status: status,
    reason: "the database did not answer",
    attempts: 3,
    enrichment_timestamp: "2026-01-14T12:00:05.000Z"
  })

const failures = Array.from({ length: 30 }, (_, i) => failed(i, i % 3 === 0 ? "CLAIM_NOT_FOUND" : "DB_ERROR"))

const filled = Effect.gen(function* () {
  const data = join(yield* temporaryFolder, "data")
  const write = ["topics", "write", "failed-payments", "--data", data]
  const ended = yield* frazil(write, [`${failures.join("\n")}\n`])
  assert.strictEqual(ended.error, undefined)
  return data
})

describe("topics redrive", () => {
  it.live("sends the failures that were the database's, as they were before they failed, and only once", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const again = ["topics", "redrive", "failed-payments", "--where", "enrichment_status=DB_ERROR", "--data", data]
      const expected = { from: "failed-payments", to: "payment-events", unfit: 0 }
      assert.deepStrictEqual(yield* frazilJson(...again), { ...expected, sent: 20, sent_before: 0 })
      assert.deepStrictEqual(yield* frazilJson(...again), { ...expected, sent: 0, sent_before: 20 })
      const payments = (yield* frazil(["topics", "read", "payment-events", "--data", data])).stdout.trim().split("\n")
      const ids = payments.map((line) => Reflect.get(Object(JSON.parse(line)), "payment_id") as string)
      const wanted = failures.flatMap((_, i) => (i % 3 === 0 ? [] : [`P${i}`]))
      assert.deepStrictEqual(ids.toSorted(), wanted.toSorted())
      assert.notInclude(payments.join(), "enrichment_status")
      assert.include(
        (yield* frazil(again)).stderr,
        "0 records of failed-payments to payment-events, 20 were sent before"
      )
    })
  )

  it.live("refuses what it cannot send, in one line", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
        [
          ["raw-transactions"],
          /nothing says where records of raw-transactions came from: redrive takes failed-payments/
        ],
        [["failed-payments", "--where", "stauts=DB_ERROR"], /failed-payments has no field stauts; it has payment_id/],
        [["failed_applications"], /topic failed_applications does not exist/]
      ]
      for (const [args, says] of cases) {
        assert.match((yield* frazil(["topics", "redrive", ...args, "--data", data])).error ?? "", says)
      }
      // the command line's own answer: how it is to be called
      const wrong = yield* frazil(["topics", "redrive", "failed-payments", "--where", "DB_ERROR", "--data", data])
      assert.strictEqual(wrong.error, "Help requested")
    })
  )
})
