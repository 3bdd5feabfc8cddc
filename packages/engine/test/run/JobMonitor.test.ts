/** What a monitor tells of a running job: counts, positions, watermark, keys; also of an epoch that is still open. */
import { expr } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Flow, Job } from "../../src/index.ts"
import { eventually } from "../support/Faults.ts"
import { append, runToEnd, TestDeadLetters, world } from "../support/Harness.ts"
import { baseMs, reading, Readings, watching } from "../support/Readings.ts"

const lines = [
  reading("a", 1),
  reading("b", 9, { partition: 1 }),
  reading("drop", 3, { keep: false }),
  { key: null, value: "{" },
  reading("c", 5)
]

describe("a job's monitor", () => {
  it.effect("counts records, outputs and dead letters, and knows positions, watermark and keys", () =>
    Effect.gen(function* () {
      yield* append(Readings, lines)
      const monitor = Job.monitor()
      assert.deepStrictEqual(monitor.status(), [])
      yield* runToEnd(watching, { observer: monitor })
      const [status] = monitor.status()
      assert.deepStrictEqual(status, {
        job: "watching",
        topic: "readings",
        in: 5,
        out: { seen: 3 },
        validated: 0,
        deadLettered: 1,
        failed: 0,
        // the broken one does not decode
        slow: 0,
        late: 0,
        ledger: {},
        tables: {},
        totals: {},
        watermarkMs: baseMs + 4000,
        silent: false,
        positions: new Map([
          [0, 4],
          [1, 1]
        ]),
        epochs: 2,
        keys: 2,
        lookups: [],
        finished: true,
        problem: undefined
      })
    }).pipe(Effect.provide(world))
  )

  it.effect("tells of an open epoch what it has come to, and the same after the commit", () =>
    Effect.gen(function* () {
      yield* append(Readings, lines)
      const monitor = Job.monitor()
      const fiber = yield* Effect.forkChild(Job.run(watching, { epochMs: 5000, observer: monitor }))
      yield* eventually(
        "reading",
        Effect.sync(() => monitor.status()[0]?.in === 5)
      )
      const [open] = monitor.status()
      assert.deepInclude(open, { out: { seen: 3 }, deadLettered: 1, epochs: 0, finished: false })
      yield* eventually(
        "the commit",
        Effect.sync(() => monitor.status()[0]?.epochs === 2)
      )
      const [committed] = monitor.status()
      assert.deepStrictEqual(committed, { ...open!, epochs: 2 })
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )

  it.effect("counts what was only checked, and what failed, beside each other", () =>
    Effect.gen(function* () {
      const readings = Flow.from(Readings)
      const job = Job.make("counting", [
        Flow.validate(readings),
        readings.pipe(
          Flow.filter(expr("keep")),
          Flow.map((record) => {
            if (record.id === "a") throw new Error("no")
            return { topic: "", partition: 0, offset: 0, reason: "", message: "", original: "" }
          }),
          Flow.to(TestDeadLetters)
        )
      ])
      yield* append(Readings, lines)
      const monitor = Job.monitor()
      yield* runToEnd(job, { observer: monitor })
      assert.deepInclude(monitor.status()[0], {
        in: 5,
        out: { "dead-letter": 2 },
        validated: 4,
        deadLettered: 2,
        failed: 1
      })
    }).pipe(Effect.provide(world))
  )
})
