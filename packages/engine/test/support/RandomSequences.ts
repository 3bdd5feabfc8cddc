// Patterns of the random jobs: conditions by expression and by code that may throw, matches that go on through code and state.
import { expr, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { Flow, type SkipStrategy } from "../../src/index.ts"
import { type Pattern, patternBegin } from "../../src/pattern/Pattern.ts"
import type { Chance } from "./Chance.ts"
import type { Sale } from "./RandomJobs.ts"

class Sequence extends Schema.Opaque<Sequence>()(
  Schema.Struct({ account: Field.text(), steps: Field.json(Schema.Unknown), seen: Field.int() })
) {}
export const Sequences = Topic.make("sequences", { schema: Sequence, key: "account", partitions: 2 })

type Keyed = Flow.Flow<Sale, never, never, { readonly account: string }>
type Two = { readonly first: ReadonlyArray<Sale>; readonly second: Sale | null }

const patternOf = (chance: Chance, known: boolean, conditions: ReadonlyArray<string>): Pattern<Sale, Two> => {
  const first = known && !chance.once(3) ? expr<Sale>(chance.pick(conditions)) : (sale: Sale) => sale.count % 2 === 0
  const second =
    known && chance.once(2)
      ? expr<Sale>(chance.pick(conditions))
      : (sale: Sale, { first }: { readonly first: ReadonlyArray<Sale> }) => {
          if (sale.count % 11 === 3) throw new RangeError(`no ${sale.note}`)
          return sale.amount.gt(first[0]!.amount)
        }
  const begun = patternBegin<Sale>().begin("first", first).times(1, 2)
  const skip = chance.pick<SkipStrategy<Two>>(["noSkip", "skipToNext", "skipPastLastEvent"])
  const bounds = chance.once(4) ? { partialMatchesMax: 2, recordsHeldMax: 6 } : {}
  const not = known ? expr<Sale>("kind == 'refund'") : (sale: Sale) => sale.kind === "refund"
  return chance.pick([
    () =>
      begun
        .next("second", second)
        .optional()
        .within("20s", { skip, ...bounds }),
    () => begun.followedBy("second", second).within("1m", { skip, ...bounds }),
    () =>
      begun
        .notFollowedBy("refund", not)
        .followedBy("second", second)
        .within("30s", { skip, ...bounds })
  ])()
}

/** `known`: the records' fields are, so that expressions may read them. */
export const sequenced = (
  chance: Chance,
  flow: Keyed,
  known: boolean,
  name: string,
  conditions: ReadonlyArray<string>
): ReadonlyArray<Flow.Output> => {
  const to = { name: `${name} out` }
  const seen = ({
    account,
    steps
  }: {
    readonly account: string
    readonly steps: { readonly [P in keyof Two]: Two[P] | null }
  }) => {
    if (steps.first?.length === 2 && steps.first[1]!.count % 5 === 1) throw new RangeError("no")
    const of = (sale: Sale | null | undefined) =>
      sale === null || sale === undefined ? null : [sale.id, String(sale.amount), sale.note]
    return { account, steps: { first: steps.first?.map(of), second: of(steps.second) }, seen: 0 }
  }
  const pattern = patternOf(chance, known, conditions)
  if (chance.once(2)) {
    const { matched, timedOut } = flow.pipe(Flow.patternWithTimeouts(pattern, { name }))
    const late = { name: `${name} late` }
    return [
      matched.pipe(Flow.map(seen), Flow.to(Sequences, to)),
      timedOut.pipe(Flow.map(seen), Flow.to(Sequences, late))
    ]
  }
  const matched = flow.pipe(Flow.pattern(pattern, { name }), Flow.keyBy("account"))
  const state = {
    name: `${name} state`,
    schema: Schema.Finite,
    initial: () => 0,
    ttl: chance.pick(["10s", "1d"] as const)
  }
  return [
    matched.pipe(
      Flow.mapWithState(state, (before, match: Flow.RecordOf<typeof matched>, { eventTime }) => [
        before + 1,
        [{ ...seen(match), seen: before + (eventTime % 7) }]
      ]),
      Flow.to(Sequences, to)
    )
  ]
}
