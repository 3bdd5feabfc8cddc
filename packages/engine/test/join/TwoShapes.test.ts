/** Joins whose sides come from one stage by two ways: records of two shapes, and records with the windows over themselves. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { count, Flow, Job, Window } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import { expectedOf, foundOf, type JoinCase, Pairs } from "../support/Joins.ts"
import { randomSignals, Signals } from "../support/Sequences.ts"

class Short extends Schema.Opaque<Short>()(Schema.Struct({ ref: Field.text(), account: Field.text() })) {}
class Share extends Schema.Opaque<Share>()(
  Schema.Struct({ account: Field.text(), id: Field.int(), records: Field.int() })
) {}
const ByKind = Topic.make("by-kind", { schema: Signals.schema, key: "kind", eventTime: "at", partitions: 2 })
const Shares = Topic.make("shares", { schema: Share, key: "account", partitions: 2 })

const byKind = Flow.from(ByKind).pipe(Flow.eventTime("at", { outOfOrderness: "3 seconds" }))
const options = { epochRecords: 7, checkpointEveryMs: 0 }

const crashed = <E, R>(job: Job.Job, found: Effect.Effect<unknown, E, R>, nth: number) =>
  Effect.gen(function* () {
    yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", nth)))
    yield* runToEnd(job, options)
    return yield* found
  })

describe("a join whose sides come from one stage by two ways", () => {
  it.live("takes records of two shapes by another key, each by its own port", () =>
    Effect.gen(function* () {
      const of: JoinCase = {
        join: "interval",
        kind: "full",
        lowerMs: -3000,
        upperMs: 4000,
        latenessMs: 0,
        same: false,
        coded: false,
        expressions: false
      }
      const lefts = byKind.pipe(Flow.filter(expr("kind == 'a'")), Flow.keyBy("account", { name: "whole" }))
      const rights = byKind.pipe(
        Flow.filter(expr("kind == 'b'")),
        Flow.map(({ account, id }): Short => ({ ref: `s${id}`, account }), { schema: Short }),
        Flow.keyBy("account", { name: "short" })
      )
      const near = { kind: "full", lower: "-3s", upper: "4s", name: "meeting" } as const
      const job = Job.make("shapes", [
        lefts.pipe(
          Flow.joinInterval(rights, near, (one, other) => ({
            account: (one ?? other)!.account,
            left: one?.id ?? null,
            right: other === undefined ? null : Number(other.ref.slice(1))
          })),
          Flow.to(Pairs)
        )
      ])
      for (let seed = 1; seed <= 8; seed++) {
        const lines = randomSignals(makeChance(seed), 90, 0)
        const found = yield* Effect.gen(function* () {
          yield* append(
            ByKind,
            lines.map((line) => ({ ...line, key: line.kind }))
          )
          return yield* crashed(job, foundOf(of), seed)
        }).pipe(Effect.provide(world))
        assert.deepStrictEqual(
          found,
          expectedOf(lines, of, 3000, () => 0),
          `seed ${seed}`
        )
      }
    })
  )

  it.live("gives each record the window that it is in, when the record goes through a topic once more", () =>
    Effect.gen(function* () {
      const keyed = byKind.pipe(Flow.keyBy("account", { name: "keyed" }))
      const window = Window.tumbling("10 seconds", { allowedLateness: "0s" })
      const counted = keyed.pipe(
        Flow.window(window, { records: count() }, { name: "counted" }),
        Flow.keyBy("account", { name: "counts" })
      )
      const again = keyed.pipe(Flow.keyBy("account", { repartition: true, name: "again" }))
      // a result's own time is a moment before its window's end
      const inWindow = { lower: "0s", upper: "9999ms", name: "in" } as const
      const shares = again.pipe(
        Flow.joinInterval(counted, inWindow, ({ account, at, id }, { records, window_end, window_start }) => ({
          account,
          id: at >= window_start && at < window_end ? id : -1,
          records
        })),
        Flow.filter(({ id }) => id >= 0),
        Flow.to(Shares)
      )
      for (let seed = 1; seed <= 4; seed++) {
        const lines = randomSignals(makeChance(seed), 120, 2000)
        const windowOf = ({ account, at }: (typeof lines)[number]) => `${account} ${Math.floor(at / 10_000)}`
        const groups = Map.groupBy(lines, windowOf)
        const found = yield* Effect.gen(function* () {
          yield* append(
            ByKind,
            lines.map((line) => ({ ...line, key: line.kind }))
          )
          const read = Effect.map(readAll("shares"), (all) => all.map(({ value }) => JSON.parse(value) as Share))
          return yield* crashed(Job.make("windows-of", [shares]), read, 3 * seed)
        }).pipe(Effect.provide(world))
        const expected = lines.map((line) => `${line.id} of ${groups.get(windowOf(line))!.length}`).sort()
        const texts = (found as ReadonlyArray<Share>).map(({ id, records }) => `${id} of ${records}`).sort()
        assert.deepStrictEqual(texts, expected, `seed ${seed}`)
      }
    })
  )
})
