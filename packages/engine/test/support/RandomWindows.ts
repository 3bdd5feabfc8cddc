// Windows of the random jobs: every aggregate, any overlap, results that go on through code, rules and state.
import { expr, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import {
  aggregate,
  avg,
  collect,
  count,
  countDistinct,
  first,
  Flow,
  last,
  max,
  min,
  offsets,
  sum,
  Window
} from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import type { Sale } from "./RandomJobs.ts"

const figure = Field.optional(Field.double())
class Figures extends Schema.Opaque<Figures>()(
  Schema.Struct({
    account: Field.text(),
    window_start: Field.timestamp,
    window_end: Field.timestamp,
    revision: Field.int(),
    count: Field.int(),
    total: Field.optional(Field.decimal(38, 2)),
    fees: Field.optional(Field.decimal(38, 4)),
    fee: Field.optional(Field.decimal(38, 4)),
    least: Field.optional(Field.decimal(38, 2)),
    most: Field.optional(Field.decimal(38, 4)),
    score: figure,
    scores: figure,
    counts: figure,
    first: Field.optional(Field.timestamp),
    notes: Field.optional(Field.int()),
    notes_capped: Field.optional(Field.boolean),
    from: Field.optional(Field.json(Schema.Unknown)),
    early: Field.optional(Field.boolean),
    retracted: Field.optional(Field.boolean),
    opened: Field.optional(Field.text()),
    newest: Field.optional(Field.decimal(38, 4)),
    noted: Field.optional(Field.json(Schema.Unknown)),
    noted_capped: Field.optional(Field.boolean),
    scored: Field.optional(Field.json(Schema.Unknown)),
    scored_capped: Field.optional(Field.boolean),
    ids: Field.optional(Field.int()),
    ids_capped: Field.optional(Field.boolean),
    longest: Field.optional(Field.int())
  })
) {}
export const Windowed = Topic.make("windowed", { schema: Figures, key: "account", partitions: 2 })

type AnyWindow = Window<"event", "final" | "early" | "retractable">

export const windows = (chance: Chance): AnyWindow => {
  const allowedLateness = chance.pick(["0s", "5s", "30s"] as const)
  const bounds = chance.once(4) ? { windowsOpenPerKeyMax: 2, windowsOpenMax: 5 } : {}
  const options = { allowedLateness, ...bounds, ...(chance.once(3) ? { early: "7s" as const } : {}) }
  return chance.pick<() => AnyWindow>([
    () => Window.tumbling("20s", options),
    () => Window.hopping("30s", { every: "10s", ...options }),
    // panes of five seconds
    () => Window.hopping("25s", { every: "10s", ...options }),
    () => Window.rolling("60s", { every: "15s", ...options }),
    () => sessions(chance)
  ])()
}

export const sessions = (chance: Chance): AnyWindow =>
  Window.session(chance.pick(["2s", "4s", "6s"] as const), {
    max: chance.pick(["7s", "12s", "1h"] as const),
    allowedLateness: chance.pick(["0s", "5s", "30s"] as const),
    ...(chance.once(6) ? { windowsOpenPerKeyMax: 2, windowsOpenMax: 5 } : {})
  })

type Keyed = Flow.Flow<Sale, never, never, { readonly account: string }>

const aggregates = {
  count: count(),
  total: sum<Sale, "amount">("amount"),
  fees: sum<Sale, "fee">("fee"),
  fee: avg<Sale, "fee">("fee"),
  least: min<Sale, "amount">("amount"),
  most: max<Sale, "fee">("fee"),
  score: avg<Sale, "score">("score"),
  scores: sum<Sale, "score">("score"),
  counts: sum<Sale, "count">("count"),
  first: min<Sale, "at">("at"),
  notes: countDistinct<Sale, "note">("note", { valuesMax: 2 }),
  from: offsets({ offsetsMax: 3 }),
  opened: first<Sale, "note">("note"),
  newest: last<Sale, "fee">("fee"),
  noted: collect<Sale, "note">("note", { valuesMax: 2, distinct: true }),
  scored: collect<Sale, "score">("score", { valuesMax: 3 }),
  ids: countDistinct<Sale, "id">("id", { valuesMax: 2, beyond: "estimate" }),
  longest: aggregate({
    name: "longest note",
    schema: Schema.Finite,
    initial: () => 0,
    add: (longest, { note }: Sale) => {
      if (note?.startsWith("it") === true) throw new RangeError("a note that nobody wants")
      return Math.max(longest, note?.length ?? 0)
    },
    merge: Math.max,
    result: (longest) => longest
  })
}

/** `known`: the records' fields are, so that something can be computed of them. */
export const windowed = (
  chance: Chance,
  flow: Keyed,
  known: boolean,
  name: string,
  window = windows(chance),
  placed = true
): ReadonlyArray<Flow.Output> => {
  const to = { name: `${name} out` }
  if (!known) {
    return [flow.pipe(Flow.window(window, { count: count() }, { name }), Flow.to(Windowed, to))]
  }
  // behind a repartition, offsets tell nothing
  const { from: _, ...unplaced } = aggregates
  const given = placed ? aggregates : (unplaced as typeof aggregates) // a field less, which the topic may lack
  const results = flow.pipe(Flow.window(window, given, { name }))
  const state = {
    name: `${name} state`,
    schema: Schema.Finite,
    initial: () => 0,
    ttl: chance.pick(["10s", "1d"] as const)
  }
  return chance.pick<() => ReadonlyArray<Flow.Output>>([
    () => [results.pipe(Flow.to(Windowed, to))],
    () => [results.pipe(Flow.filter(expr("count > 1 && total > 10")), Flow.to(Windowed, to))],
    () => [
      results.pipe(
        Flow.filter((result) => {
          if (result.count === 3) throw new RangeError("three")
          return true
        }),
        Flow.to(Windowed, to)
      )
    ],
    () => [
      results.pipe(
        Flow.keyBy("account"),
        Flow.mapWithState(state, (before, result: Flow.RecordOf<typeof results>) => [
          before + result.count,
          [{ ...result, count: before + result.count }]
        ]),
        Flow.to(Windowed, to)
      )
    ]
  ])()
}
