// A table for the equivalence test: rows that come, change and go, joined with sales by conditions over what is taken.
import { expr, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { count, Flow, min, sum, Window } from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import type { Line } from "./Harness.ts"
import type { Sale } from "./RandomJobs.ts"

class Profile extends Schema.Opaque<Profile>()(
  Schema.Struct({
    account: Field.text(),
    limit: Field.optional(Field.decimal(38, 2)),
    segment: Field.optional(Field.text()),
    valueOf: Field.optional(Field.text()),
    name: Field.personal(Field.text())
  })
) {}
export const Profiles = Topic.make("profiles", { schema: Profile, key: "account", partitions: 2 })

type Sold = Flow.Flow<Sale>

const conditions = [
  "limit > amount",
  "limit == null || limit * 2 >= 90071992547409.92",
  "has(segment)",
  "segment == 'gold' || !has(limit)",
  "valueOf == 'Ford'",
  "segment != note"
]

/** Sales with what the table says of their account, and some of them left out by it. */
export const joinedSales = (chance: Chance, flow: Sold): Sold => {
  const one = flow.pipe(Flow.joinTable(Profiles, { on: "account", take: ["limit", "segment", "valueOf"] }))
  const two = flow.pipe(
    Flow.filter(expr("count > 20")),
    Flow.joinTable(Profiles, { on: "account", take: ["segment"] }),
    Flow.joinTable(Profiles, { on: "account", take: ["valueOf", "limit"] })
  )
  const joined = chance.once(2) ? one : two
  return chance.pick<() => Sold>([
    () => joined.pipe(Flow.filter(expr(chance.pick(conditions)))),
    () => joined.pipe(Flow.extend({ note: expr.string("segment") })),
    () => joined.pipe(Flow.extend({ limited: ({ limit }) => limit?.toString() })),
    () => joined.pipe(Flow.route({ some: expr(chance.pick(conditions)), rest: Flow.otherwise })).some
  ])()
}

class Limits extends Schema.Opaque<Limits>()(
  Schema.Struct({
    account: Field.text(),
    limits: Field.optional(Field.decimal(38, 2)),
    lowest: Field.optional(Field.decimal(38, 2)),
    count: Field.int()
  })
) {}
const LimitsOf = Topic.make("limits", { schema: Limits, key: "account", partitions: 2 })
const Gold = Topic.make("gold", { schema: Limits, key: "account", partitions: 2 })

/** Conditions, branches and windows over fields of the table and of the record: no record is made of them. */
export const tableWindows = (chance: Chance, flow: Sold): ReadonlyArray<Flow.Output> => {
  const first = flow.pipe(Flow.joinTable(Profiles, { on: "account", take: ["limit"] }))
  const joined = first.pipe(Flow.joinTable(Profiles, { on: "account", take: ["segment", "valueOf"], name: "again" }))
  const { some } = joined.pipe(Flow.route({ some: expr(chance.pick(conditions)), rest: Flow.otherwise }))
  return [
    some.pipe(
      Flow.keyBy("account"),
      Flow.window(Window.tumbling("20s", { allowedLateness: "5s" }), {
        limits: sum("limit"),
        lowest: min("limit"),
        count: count()
      }),
      Flow.map(({ account, count, limits, lowest }) => ({ account, count, limits, lowest })),
      Flow.to(LimitsOf)
    ),
    joined.pipe(
      Flow.filter(expr("segment.startsWith('g') || note == segment")),
      Flow.map(({ account, count, limit }) => ({ account, count, limits: limit, lowest: null })),
      Flow.to(Gold)
    )
  ]
}

/** A row of one of the accounts, or, with an empty value, its end. */
export const randomRow = (chance: Chance): Line => {
  const key = `A${chance.below(4)}`
  if (chance.once(4)) return { key, value: "" }
  const limit = chance.pick(["0", "100.00", '"90071992547409.93"', '"12345678901234567890.12"', "null"])
  const segment = chance.pick(['"gold"', '"a"', '""', "null"])
  const more = chance.once(3) ? ',"valueOf":"Ford"' : ""
  const line = `{"account":"${key}","limit":${limit},"segment":${segment},"name":"secret"${more}}`
  return { key, value: chance.once(8) ? line.slice(1) : line }
}
