// Deduplications and rankings of the random jobs: by their fields, through code that may throw and change keys, with bounds
// that are met.
import { Decimal, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { count, Flow, last, State, Window } from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import type { Sale } from "./RandomJobs.ts"

class Kept extends Schema.Opaque<Kept>()(
  Schema.Struct({
    account: Field.text(),
    id: Field.text(),
    amount: Field.decimal(38, 2),
    note: Field.optional(Field.text()),
    rank: Field.optional(Field.int()),
    revision: Field.optional(Field.int())
  })
) {}
export const KeptTopic = Topic.make("kept", { schema: Kept, key: "account", partitions: 2 })

type Keyed = Flow.Flow<Sale, never, never, { readonly account: string }>

const keptOf = ({ account, amount, id, note }: Sale, more: { readonly rank?: number; readonly revision?: number }) => {
  if (note === "ab") throw new RangeError("no ab")
  return { account, amount, id, note: note ?? null, rank: more.rank ?? null, revision: more.revision ?? null }
}

/** What stands before: nothing, or code that makes records. */
const prepared = (chance: Chance, flow: Keyed): Keyed =>
  chance.pick<() => Keyed>([
    () => flow,
    () => flow.pipe(Flow.filter((sale) => sale.count % 3 !== 0)),
    () =>
      flow.pipe(
        Flow.map((sale: Sale) => {
          if (sale.count % 11 === 3) throw new RangeError("no")
          // another key has no state here
          return { ...sale, account: sale.count % 17 === 0 ? "other" : sale.account, note: `${sale.note}!` }
        }),
        Flow.keyBy("account")
      )
  ])()

const Amounts = Schema.Struct({ unscaled: Schema.BigInt, count: Schema.Finite })

/** A function with every kind of state and timer; it throws at some records and timers, after it wrote. */
const processed = (chance: Chance, flow: Keyed, name: string) => {
  const ttl = chance.pick(["5s", "1m", "1d"] as const)
  const entriesMax = chance.pick([2, 100])
  const aheadMs = chance.pick([-2000, 0, 3000])
  return flow.pipe(
    Flow.process(
      {
        name,
        operational: { because: "a test" },
        timersPerKeyMax: chance.pick([2, 50]),
        timersMax: chance.pick([4, 1000]),
        keysMax: chance.pick([2, 1000]),
        states: {
          total: State.value({ schema: Schema.Finite, initial: () => 0, ttl }),
          ids: State.list({ schema: Schema.String, ttl, entriesMax }),
          kinds: State.map({ schema: Schema.Finite, ttl, entriesMax }),
          amounts: State.aggregate({
            schema: Amounts,
            initial: () => ({ unscaled: 0n, count: 0 }),
            add: ({ count, unscaled }, sale: Sale) => ({
              unscaled: unscaled + BigInt(sale.amount.unscaled),
              count: count + 1
            }),
            result: ({ count }) => count,
            ttl
          })
        }
      },
      {
        onRecord: (sale, { eventTime, key, states: { amounts, ids, kinds, total }, timers, watermark }) => {
          total.set(total.get() + 1)
          const name = sale.note ?? sale.kind
          kinds.set(name, (kinds.get(name) ?? 0) + 1)
          amounts.add(sale)
          timers.event.set(eventTime + aheadMs)
          timers.processing.set(timers.processing.now() + 1)
          if (sale.count % 7 === 2) throw new RangeError("no")
          ids.add(sale.id)
          if (sale.count % 5 === 1) kinds.clear()
          if (sale.count % 5 === 2) kinds.delete("refund")
          if (sale.count % 5 === 3) timers.event.delete(eventTime + aheadMs)
          if (sale.count % 9 === 4) ids.clear()
          const text = [total.get(), ids.get(), kinds.entries(), amounts.get(), watermark > eventTime]
          return sale.online
            ? [{ account: key.account, id: JSON.stringify(text), amount: sale.amount, note: name }]
            : []
        },
        onTimer: ({ domain, time }, { key, states: { ids, kinds, total }, timers }) => {
          total.set(total.get() + 100)
          if (time % 7 === 1) throw new RangeError("no")
          if (domain === "event" && time % 3000 === 0) timers.event.set(time + 1000)
          const text = [total.get(), ids.get(), kinds.entries()]
          return [{ account: key.account, id: JSON.stringify(text), amount: Decimal.of("0.00", 2), note: `${domain}` }]
        }
      }
    )
  )
}

export const kept = (chance: Chance, flow: Keyed, name: string): ReadonlyArray<Flow.Output> => {
  const before = prepared(chance, flow)
  const ttl = chance.pick(["10s", "1m", "1d"] as const)
  const keysMax = chance.pick([2, 1000])
  const order = chance.pick(["desc", "asc"] as const)
  const to = { name: `${name} out` }
  return chance.pick<() => ReadonlyArray<Flow.Output>>([
    () => {
      const fields = chance.pick([[], ["note"], ["count", "note"]] as const)
      const first = before.pipe(
        Flow.deduplicate({ keep: "first", ttl, fields, keysMax, recordsHeldMax: chance.pick([3, 1000]), name })
      )
      return [
        first.pipe(
          Flow.map((sale) => keptOf(sale, {})),
          Flow.to(KeptTopic, to)
        )
      ]
    },
    () => {
      const last = before.pipe(Flow.deduplicate({ keep: "last", ttl, fields: ["kind"], keysMax, name }))
      return [
        last.pipe(
          Flow.map((sale) => keptOf(sale, sale)),
          Flow.to(KeptTopic, to)
        )
      ]
    },
    () => {
      const by = chance.pick(["amount", "count", "score", "at", "fee"] as const)
      const greatest = before.pipe(Flow.topN({ n: chance.pick([1, 3]), by, order, ttl, keysMax, name }))
      return [
        greatest.pipe(
          Flow.map((sale) => keptOf(sale, sale)),
          Flow.to(KeptTopic, to)
        )
      ]
    },
    () => [
      processed(chance, before, name).pipe(
        Flow.map((made) => ({ ...made, rank: null, revision: null })),
        Flow.to(KeptTopic, to)
      )
    ],
    () => {
      const window = chance.pick([
        Window.processing.tumbling("1ms", { windowsOpenMax: 3 }),
        Window.processing.hopping("2ms", { every: "1ms" })
      ])
      const operational = Window.operational(window, { because: "a test" })
      const counted = flow.pipe(Flow.window(operational, { sales: count(), id: last("id") }, { name }))
      return [
        counted.pipe(
          Flow.map(({ account, id, revision, sales, window_end }) => {
            const note = `processing ${sales} ${window_end}`
            return { account, id, note, revision, rank: null, amount: Decimal.of("0.00", 2) }
          }),
          Flow.to(KeptTopic, to)
        )
      ]
    },
    () => {
      const window = Window.tumbling("20s", { allowedLateness: chance.pick(["0s", "10s"]) })
      const greatest = flow.pipe(Flow.topN({ window, n: 2, by: "amount", order, name }))
      return [
        greatest.pipe(
          Flow.map((sale) => keptOf(sale, sale)),
          Flow.to(KeptTopic, to)
        )
      ]
    }
  ])()
}
