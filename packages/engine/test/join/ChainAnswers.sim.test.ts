/**
 * A join of three topics, one after the other: results of a join go through a topic to the next one, by another key. Held
 * against the oracle, once for each join: a result is never late, whatever held time back before it.
 */
import { Field, partitionOf, Topic } from "@frazil/core"
import { asOfJoin, type Come, intervalJoin, type Joined } from "@frazil/sim/joins"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Flow, Job } from "../../src/index.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, type Line, readAll, runToEnd } from "../support/Harness.ts"
import { randomSignals, type SignalLine } from "../support/Sequences.ts"
import {
  appendSplit,
  Asks,
  Bids,
  inMergedOrder,
  placedLedger,
  placedWorld,
  randomLayout,
  split,
  type SplitLine
} from "../support/SplitJoins.ts"

class Deal extends Schema.Opaque<Deal>()(
  Schema.Struct({ n: Field.int(), bid: Field.int(), ask: Field.optional(Field.text()) })
) {}
class Fee extends Schema.Opaque<Fee>()(Schema.Struct({ n: Field.int(), fee: Field.int(), at: Field.timestamp })) {}
class Charge extends Schema.Opaque<Charge>()(
  Schema.Struct({
    n: Field.int(),
    bid: Field.int(),
    ask: Field.optional(Field.text()),
    fee: Field.optional(Field.int())
  })
) {}
const Fees = Topic.make("fees", { schema: Fee, key: "n", eventTime: "at", partitions: 2 })
const Charges = Topic.make("charges", { schema: Charge, key: "n", partitions: 1 })

const outOfOrdernessMs = 3000
const time = { outOfOrderness: `${outOfOrdernessMs}ms` } as const

interface Near {
  readonly lowerMs: number
  readonly upperMs: number
}
interface Case {
  readonly kind: "inner" | "left"
  readonly first: Near | undefined
  readonly second: Near | undefined
  readonly latenessMs: number
}

const ttlMs = 9000
const near = (chance: Chance): Near | undefined =>
  chance.once(3) ? undefined : { lowerMs: -chance.below(6) * 1000, upperMs: chance.below(6) * 1000 }

const randomCase = (chance: Chance): Case => ({
  kind: chance.pick(["inner", "left"] as const),
  first: near(chance),
  second: near(chance),
  latenessMs: chance.pick([0, 2000])
})

const offsets = ({ lowerMs, upperMs }: Near) => ({ lower: `-${-lowerMs}ms`, upper: `${upperMs}ms` }) as const

const jobOf = ({ first, kind, latenessMs, second }: Case, bidsOf = Bids, asksOf = Asks) => {
  const allowedLateness = `${latenessMs}ms` as const
  const bids = Flow.from(bidsOf).pipe(Flow.eventTime("at", time), Flow.keyBy("account"))
  const asks = Flow.from(asksOf).pipe(Flow.eventTime("since", time), Flow.keyBy("account"))
  const fees = Flow.from(Fees).pipe(Flow.eventTime("at", time), Flow.keyBy("n"))
  type Bid = Flow.RecordOf<typeof bids>
  const dealOf = (bid: Bid, ask: Flow.RecordOf<typeof asks> | undefined) => ({
    n: bid.n,
    bid: bid.id,
    ask: ask?.ref ?? null
  })
  const options = { kind, name: "deals", allowedLateness } as const
  const dealt =
    first === undefined
      ? bids.pipe(Flow.joinAsOf(asks, { ...options, ttl: `${ttlMs}ms` }, dealOf))
      : bids.pipe(Flow.joinInterval(asks, { ...options, ...offsets(first) }, dealOf))
  const deals = dealt.pipe(
    Flow.map((deal): Deal => deal, { schema: Deal }),
    Flow.keyBy("n", { name: "by-n", partitions: 3 })
  )
  const chargeOf = (deal: Deal, fee: Fee | undefined) => ({ ...deal, fee: fee?.fee ?? null })
  const charged =
    second === undefined
      ? deals.pipe(Flow.joinAsOf(fees, { ...options, name: "charges", ttl: `${ttlMs}ms` }, chargeOf))
      : deals.pipe(Flow.joinInterval(fees, { ...options, name: "charges", ...offsets(second) }, chargeOf))
  return Job.make("chain", [charged.pipe(Flow.to(Charges))])
}

interface FeeLine extends Line {
  readonly signal: SignalLine
}

const feeOf = (signal: SignalLine): FeeLine => {
  const { at, id, n } = signal
  return { key: String(n), signal, value: `{"n":${n},"fee":${id},"at":"${new Date(at).toISOString()}"}` }
}

/** Each fee with how far time had come before it in its partition, in the order in which the join meets them. */
const feesMet = (lines: ReadonlyArray<FeeLine>) => {
  const highest = new Map<number, number>()
  const next = new Map<number, number>()
  const met = lines.map((line) => {
    const partition = partitionOf(line.key, Fees.partitions)
    const max = highest.get(partition) ?? Number.NEGATIVE_INFINITY
    const offset = next.get(partition) ?? 0
    highest.set(partition, Math.max(max, line.signal.at))
    next.set(partition, offset + 1)
    return { line, partition, offset, watermark: max - outOfOrdernessMs }
  })
  return met.toSorted((one, other) =>
    one.watermark === other.watermark
      ? one.partition - other.partition || one.offset - other.offset
      : one.watermark < other.watermark
        ? -1
        : 1
  )
}

interface Piece {
  readonly text: string
  readonly n: number
  readonly at: number
  readonly place: string
}

const joinedOf = (of: Case, which: Near | undefined, sides: readonly [Array<Come<Piece>>, Array<Come<Piece>>]) =>
  which === undefined ? asOfJoin({ kind: of.kind, ttlMs }, sides) : intervalJoin({ kind: of.kind, ...which }, sides)

const textOf = ({ left, right }: Joined<Piece>): string => `${left!.text} ${right?.text ?? "-"}` // no right one is alone

const expectedOf = (
  of: Case,
  lines: ReadonlyArray<SplitLine>,
  layout: ReturnType<typeof randomLayout>,
  fees: ReadonlyArray<FeeLine>
) => {
  const ledger: Array<string> = []
  const deals: Array<Come<Piece>> = []
  const { order } = inMergedOrder(lines, { ...layout, between: 4 }, outOfOrdernessMs)
  const comes = order.map(
    ({ line: { account, at, id, n }, offset, partition, split: { line, topic }, watermark }, index) => {
      const place = `${topic}/${partition}/${offset} ${line.value}`
      const record: Piece = { text: topic === "bids" ? String(id) : `ref${id}`, n, at, place }
      return { account, topic, come: { record, at, index, horizon: watermark - of.latenessMs, deleted: false } }
    }
  )
  for (const ofAccount of Map.groupBy(comes, ({ account }) => account).values()) {
    const side = (name: string) => ofAccount.filter(({ topic }) => topic === name).map(({ come }) => come)
    const found = joinedOf(of, of.first, [side("bids"), side("asks")])
    for (const [reason, { place }] of found.ledger) ledger.push(`${reason} ${place}`)
    for (const joined of found.results) {
      const { at, n } = joined.left!
      const met = of.first === undefined || joined.right === undefined ? at : Math.max(at, joined.right.at)
      const record = { text: textOf(joined), n, at: met, place: "" }
      deals.push({ record, at: met, index: deals.length, horizon: Number.NEGATIVE_INFINITY, deleted: false })
    }
  }
  const charges: Array<string> = []
  const feeComes = feesMet(fees).map(
    ({ line: { signal, value }, offset, partition, watermark }, index): Come<Piece> => {
      const record = {
        text: String(signal.id),
        n: signal.n,
        at: signal.at,
        place: `fees/${partition}/${offset} ${value}`
      }
      return { record, at: signal.at, index, horizon: watermark - of.latenessMs, deleted: false }
    }
  )
  for (const n of new Set([...deals, ...feeComes].map(({ record }) => record.n))) {
    const side = (all: ReadonlyArray<Come<Piece>>) => all.filter(({ record }) => record.n === n)
    const found = joinedOf(of, of.second, [side(deals), side(feeComes)])
    for (const [reason, { place }] of found.ledger) ledger.push(`${reason} ${place}`)
    charges.push(...found.results.map((joined) => `${n} ${textOf(joined)}`))
  }
  return { charges: charges.sort(), ledger: ledger.sort() }
}

const foundOf = Effect.gen(function* () {
  const charges = (yield* Effect.orElseSucceed(readAll("charges"), () => [])).map(({ value }) => {
    const { ask, bid, fee, n } = JSON.parse(value) as Charge
    return `${n} ${bid} ${ask ?? "-"} ${fee ?? "-"}`
  })
  return { charges: charges.sort(), ledger: yield* placedLedger }
})

describe("a join of a join's results with a third topic", () => {
  for (const disorderMs of [0, 2900, 15_000]) {
    it.live(`finds what two oracles find, over records ${disorderMs} out of order, with crashes`, () =>
      Effect.gen(function* () {
        let [found, alone, late] = [0, 0, 0]
        for (let seed = 1; seed <= 16; seed++) {
          const chance = makeChance(disorderMs * 100 + seed)
          const of = randomCase(chance)
          const layout = randomLayout(chance)
          const lines = split(randomSignals(chance, 80, disorderMs))
          const fees = randomSignals(chance, 80, disorderMs).map(feeOf)
          const expected = expectedOf(of, lines, layout, fees)
          const options = { epochRecords: chance.pick([1, 9, 50]), checkpointEveryMs: chance.pick([0, 1e9]) }
          const job = jobOf(of, { ...Bids, partitions: layout.bids }, { ...Asks, partitions: layout.asks })
          const result = yield* Effect.gen(function* () {
            yield* appendSplit(lines, layout)
            yield* append(Fees, fees)
            yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1 + chance.below(30))))
            yield* runToEnd(job, options)
            return yield* foundOf
          }).pipe(Effect.provide(placedWorld))
          assert.deepStrictEqual(result, expected, `seed ${seed}: ${JSON.stringify({ of, layout, options })}`)
          found += expected.charges.filter((charge) => !charge.includes("-")).length
          alone += expected.charges.filter((charge) => charge.includes("-")).length
          late += expected.ledger.length
        }
        assert.isAbove(found, 50)
        assert.isAbove(alone, 50)
        assert.strictEqual(late > 0, disorderMs > outOfOrdernessMs)
      })
    )
  }
})
