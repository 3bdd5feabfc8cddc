/** Windows of what a lookup answered, behind a repartition: no watermark passes a record in flight, whatever crashes. */
import { Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { count, Flow, Job, Window } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { Claims, Payments } from "../support/Claims.ts"
import { crashAt, epochPoints, hurried } from "../support/Faults.ts"
import { append, readAll, runToEnd, TestDeadLetters, world } from "../support/Harness.ts"
import { isAnswered, policyOf, seededClaims, seededLines } from "../support/LookupWorld.ts"

class Count extends Schema.Opaque<Count>()(
  Schema.Struct({ member_id: Field.text(), window_end: Field.timestamp, revision: Field.int(), count: Field.int() })
) {}
const Counts = Topic.make("counts", { schema: Count, key: "member_id", partitions: 1 })

const windowMs = 5000

const job = Job.make("members", [
  Flow.from(Payments).pipe(
    Flow.eventTime("at", { outOfOrderness: "1s" }),
    Flow.lookup(Claims, { key: "claim_id", policy: policyOf("ordered"), name: "claims" }),
    Flow.orDeadLetter(TestDeadLetters),
    Flow.keyBy("member_id", { name: "members", partitions: 3 }),
    Flow.window(Window.tumbling("5 seconds", { allowedLateness: "0s" }), { count: count() }, { name: "counts" }),
    Flow.to(Counts)
  )
])

const found = Effect.map(readAll("counts"), (lines) =>
  lines
    .map(({ value }) => {
      const { count: payments, member_id, window_end } = JSON.parse(value) as Record<string, string>
      return `${member_id} ${Date.parse(window_end!)} ${payments}`
    })
    .sort()
)

describe("a window behind a lookup and a repartition", () => {
  it.effect("has every payment that was answered in its time, once", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 10; seed++) {
        const chance = makeChance(seed)
        const lines = seededLines(seed, 50)
        const windows = new Map<string, number>()
        for (const { value } of lines) {
          const { at, claim_id } = JSON.parse(value) as { readonly at: string; readonly claim_id: string }
          if (!isAnswered(seed, claim_id)) continue
          const name = `M-${claim_id} ${(Math.floor(Date.parse(at) / windowMs) + 1) * windowMs}`
          windows.set(name, (windows.get(name) ?? 0) + 1)
        }
        const expected = Array.from(windows, ([name, payments]) => `${name} ${payments}`).sort()
        const run = runToEnd(job, { epochRecords: 8, epochMs: 20, checkpointEveryMs: 0 }).pipe(
          Effect.provide(seededClaims(seed))
        )
        yield* Effect.gen(function* () {
          yield* append(Payments, lines)
          for (let crashes = chance.below(3); crashes > 0; crashes--)
            yield* Effect.exit(hurried(run).pipe(crashAt(chance.pick(epochPoints), 1 + chance.below(12))))
          yield* hurried(run)
          assert.deepStrictEqual(yield* found, expected, `seed ${seed}`)
          assert.deepStrictEqual(yield* readAll("ledger"), [], `seed ${seed}: nothing is late`)
        }).pipe(Effect.provide(world))
      }
    })
  )
})
