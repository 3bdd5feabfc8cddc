// Joins of the random jobs: both sides of one flow, results by code that may throw and by fields, what follows goes on through
// code and state.
import { expr, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { Flow } from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import type { Sale } from "./RandomJobs.ts"

class Meeting extends Schema.Opaque<Meeting>()(
  Schema.Struct({
    account: Field.text(),
    pair: Field.json(Schema.Unknown),
    retracted: Field.optional(Field.boolean),
    seen: Field.int()
  })
) {}
export const Meetings = Topic.make("joined", { schema: Meeting, key: "account", partitions: 2 })

type Keyed = Flow.Flow<Sale, never, never, { readonly account: string }>
type Sides = readonly [Keyed, Keyed]

const of = (sale: Sale | undefined) => (sale === undefined ? null : [sale.id, String(sale.amount), sale.note ?? null])

const paired = (left: Sale | undefined, right: Sale | undefined) => {
  if (((left?.count ?? 0) + (right?.count ?? 1)) % 11 === 3) throw new RangeError(`no ${left?.note}`)
  return { account: (left ?? right)!.account, pair: [of(left), of(right)], retracted: false, seen: 0 }
}

const ttls = ["10s", "30s", "1d"] as const

const meeting = (chance: Chance, [one, other]: Sides, known: boolean, name: string) => {
  const bounds = chance.once(4) ? { recordsPerKeyMax: 3, recordsHeldMax: 8 } : {}
  const options = { name, allowedLateness: chance.pick(["0s", "0s", "5s"] as const), ...bounds } as const
  const deletes = known && chance.once(2) ? expr<Sale>("kind == 'refund'") : (sale: Sale) => sale.count % 6 === 0
  const kind = chance.pick(["inner", "left", "full"] as const)
  return chance.pick([
    () => {
      const [lower, upper] = chance.pick([
        ["-5s", "5s"],
        ["0s", "20s"],
        ["1s", "1s"],
        ["-20s", "-3s"]
      ] as const)
      return one.pipe(Flow.joinInterval(other, { ...options, kind, lower, upper }, paired))
    },
    () => {
      const asOf = { ...options, ttl: chance.pick(ttls), deleted: deletes }
      if (chance.once(2)) return one.pipe(Flow.joinAsOf(other, { ...asOf, kind: "left" }, paired))
      return one.pipe(Flow.joinAsOf(other, asOf, paired))
    },
    () => {
      const latest = { ...options, kind, ttl: chance.pick(ttls), leftDeleted: deletes, rightDeleted: deletes }
      return one.pipe(Flow.joinLatest(other, latest, paired))
    }
  ])()
}

/** The result by expressions, which read fields of every type. */
const byExpressions = (chance: Chance, [one, other]: Sides, name: string) => {
  const kind = chance.pick(["inner", "left", "full"] as const)
  const fields = {
    account: expr.string("has(left.account) ? left.account : right.account"),
    seen: expr.number("left.count + (right.online ? 1 : 0)"),
    total: expr.decimal(4, "left.amount + right.fee"),
    note: expr.string("left.note + '/' + right.note"),
    later: expr("left.at < right.at && left.flag != right.flag"),
    nested: expr("has(left.nested) || has(right.seen)")
  }
  return one.pipe(
    Flow.joinInterval(other, { kind, lower: "-20s", upper: "20s", name }, fields),
    Flow.filter(expr("seen > -1000 || total == null")),
    Flow.map(({ account, later, nested, note, seen, total }) => ({
      account,
      pair: [String(total), note, later, nested],
      retracted: null,
      seen: Number.isSafeInteger(seen) ? seen : 0
    }))
  )
}

/** Fields of both: the right side has none of the left's but the key. */
const mergedOf = (chance: Chance, [one, other]: Sides, name: string) => {
  const kind = chance.pick(["inner", "left"] as const)
  const rights = other.pipe(
    Flow.map(({ account, count }: Sale) => ({ account, other: count }), {
      schema: Schema.Struct({ account: Field.text(), other: Field.int() })
    }),
    Flow.keyBy("account")
  )
  return one.pipe(
    Flow.joinInterval(rights, { kind, lower: "-5s", upper: "5s", name }),
    Flow.filter(expr("count % 2 == 0 || other > 100")),
    Flow.map((joined) => ({
      account: joined.account,
      pair: [joined.id, joined.other],
      retracted: null,
      seen: 0
    }))
  )
}

/** `known`: the records' fields are, so that expressions may read them. */
export const joined = (chance: Chance, flow: Keyed, known: boolean, name: string): ReadonlyArray<Flow.Output> => {
  const to = { name: `${name} out` }
  const same = chance.once(4)
  const made = chance.once(2)
  const some = flow.pipe(Flow.filter((sale: Sale) => sale.count % 3 !== 0))
  const changed: Flow.Flow<Sale> = some.pipe(Flow.map((sale) => ({ ...sale, note: "made" })))
  const other = same ? flow : (made ? changed : some).pipe(Flow.keyBy("account"))
  if (known && chance.once(4)) return [byExpressions(chance, [flow, flow], name).pipe(Flow.to(Meetings, to))]
  if (known && chance.once(4)) return [mergedOf(chance, [flow, flow], name).pipe(Flow.to(Meetings, to))]
  const meetings = meeting(chance, [flow, other], known && (same || !made), name)
  if (chance.once(2)) return [meetings.pipe(Flow.to(Meetings, to))]
  const keyed = meetings.pipe(Flow.keyBy("account"))
  const state = {
    name: `${name} state`,
    schema: Schema.Finite,
    initial: () => 0,
    ttl: chance.pick(["10s", "1d"] as const)
  }
  return [
    keyed.pipe(
      Flow.mapWithState(state, (before, found: Flow.RecordOf<typeof keyed>, { eventTime, watermark }) => [
        before + 1,
        [{ ...found, seen: before + (eventTime % 7) + (watermark > eventTime ? 1000 : 0) }]
      ]),
      Flow.to(Meetings, to)
    )
  ]
}
