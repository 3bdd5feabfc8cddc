// Random joins of two topics of other records over the lines of the random jobs: what follows the join, and what else hangs on
// either side's port: windows, patterns that code decides, lookups, state, records that pass as their bytes.
import { expr, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { count, Flow, Job, Pattern, sum, Window } from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import { type Sale, Sales, Twins } from "./RandomJobs.ts"
import { Meetings } from "./RandomJoins.ts"
import { Sequences } from "./RandomSequences.ts"
import { TestDeadLetters } from "./Harness.ts"

/** Other fields of the same lines, in another order and of other types. */
class Return extends Schema.Opaque<Return>()(
  Schema.Struct({
    at: Field.timestamp,
    note: Field.optional(Field.text()),
    amount: Field.decimal(30, 4),
    count: Field.int(),
    account: Field.text(),
    id: Field.text()
  })
) {}
const Returns = Topic.make("returns", { schema: Return, key: "id", eventTime: "at", partitions: 3 })
const Kept: Topic<Return, "kept"> = { ...Returns, name: "kept" }
const Copied: Topic<Sale, "copies"> = { ...Sales, name: "copies" }
class Dealt extends Schema.Opaque<Dealt>()(
  Schema.Struct({ count: Field.int(), total: Field.optional(Field.double()), parts: Field.int() })
) {}
const Dealts = Topic.make("dealts", { schema: Dealt, key: "count", partitions: 2 })
class Answer extends Schema.Opaque<Answer>()(
  Schema.Struct({ account: Field.text(), answered: Field.optional(Field.text()), count: Field.int() })
) {}
const Answers = Topic.make("answers", { schema: Answer, key: "account", partitions: 2 })

const of = (record: Sale | Return | undefined) =>
  record === undefined ? null : [record.id, String(record.amount), record.note ?? null]

const paired = (left: Sale | undefined, right: Return | undefined) => {
  if (((left?.count ?? 0) + (right?.count ?? 1)) % 11 === 3) throw new RangeError(`no ${left?.note}`)
  return { account: (left ?? right)!.account, pair: [of(left), of(right)], retracted: false, seen: 0 }
}

const sidesOf = (chance: Chance) => {
  const partitions = 1 + chance.below(2)
  const lefts = Flow.from(Sales).pipe(Flow.keyBy("account", { name: "sides", partitions }))
  const late = chance.pick(["0s", "7s"] as const)
  const rights = Flow.from(Returns).pipe(
    Flow.eventTime("at", { outOfOrderness: late }),
    Flow.filter(expr("count % 5 != 1")),
    Flow.keyBy("account")
  )
  return { lefts, rights }
}

type Sides = ReturnType<typeof sidesOf>

const meeting = (chance: Chance, { lefts, rights }: Sides) => {
  const bounds = chance.once(4) ? { recordsPerKeyMax: 3, recordsHeldMax: 8 } : {}
  const allowedLateness = chance.pick(["0s", "5s"] as const)
  const kind = chance.pick(["inner", "left", "full"] as const)
  const options = { name: "meeting", kind, allowedLateness, ...bounds } as const
  const some = chance.once(2)
    ? rights.pipe(Flow.filter((each) => each.count % 3 !== 0))
    : // code loses the key's type, not the key
      (rights.pipe(Flow.map((each) => ({ ...each, note: "made" }))) as unknown as typeof rights)
  const deleted = (each: Return) => each.count % 6 === 0
  const leftDeleted = (each: Sale) => each.count % 6 === 0
  return chance.pick([
    () => lefts.pipe(Flow.joinInterval(some, { ...options, lower: "-9s", upper: "4s" }, paired)),
    () => lefts.pipe(Flow.joinAsOf(some, { ...options, kind: "left", ttl: "20s", deleted }, paired)),
    () => lefts.pipe(Flow.joinLatest(some, { ...options, ttl: "15s", leftDeleted, rightDeleted: deleted }, paired))
  ])()
}

/** Results by another key, through a topic of their own. */
const again = (chance: Chance, { lefts, rights }: Sides) =>
  lefts.pipe(
    Flow.joinInterval(
      rights,
      {
        name: "deals",
        kind: chance.pick(["inner", "left"] as const),
        lower: chance.pick(["-9s", "2s"] as const),
        upper: "6s",
        allowedLateness: chance.pick(["0s", "5s"] as const)
      },
      (left, right) => ({ count: left.count % 5, total: right === undefined ? null : right.count, parts: 1 })
    ),
    Flow.map((dealt): Dealt => dealt, { schema: Dealt }),
    Flow.keyBy("count", { name: "again", partitions: 2 }),
    Flow.window(
      Window.tumbling("20s", { allowedLateness: "0s" }),
      { total: sum("total"), parts: count() },
      { name: "by count" }
    ),
    Flow.to(Dealts)
  )

/** The second step is told by code, once the first was read back from its bytes. */
const twice = Pattern.on(Returns)
  .begin("first", expr("count % 3 == 0"))
  .followedBy("second", ({ amount, count: counted }, { first }) => {
    if (counted % 13 === 5) throw new RangeError("no second")
    return !amount.gt(first.amount)
  })
  .within("30s")

export const twoSides = (chance: Chance) => {
  const sides = sidesOf(chance)
  const { lefts, rights } = sides
  const asked = rights.pipe(
    Flow.lookup(Twins, { key: "count", name: "twins" }),
    Flow.orDeadLetter(TestDeadLetters),
    Flow.map(({ account, answered, count: counted }) => ({ account, answered, count: counted }))
  )
  const patterned = rights.pipe(
    Flow.pattern(twice, { name: "twice" }),
    Flow.map(({ account, steps }) => ({ account, steps: [steps.first.id, steps.second.note ?? null], seen: 0 }))
  )
  const counted = rights.pipe(
    Flow.mapWithState(
      { name: "counted", schema: Schema.Finite, initial: () => 0, ttl: "1d" },
      (before, each: Return) => [before + 1, [{ account: each.account, answered: null, count: before }]]
    )
  )
  // the test gives the answers: nothing is needed to run it
  return Job.make("two-sides", [
    meeting(chance, sides).pipe(Flow.to(Meetings)),
    again(chance, sides),
    lefts.pipe(Flow.filter(expr("online")), Flow.to(Copied)),
    rights.pipe(Flow.filter(expr("count % 2 == 0")), Flow.to(Kept)),
    patterned.pipe(Flow.to(Sequences)),
    counted.pipe(Flow.to(Answers)),
    asked.pipe(Flow.to(Answers, { name: "asked" }))
  ]) as Job.Job
}
