// A table for the equivalence test: rows that come, change and go, joined with sales by conditions over what is taken.
import { expr, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { Flow } from "../../src/index.ts"
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
