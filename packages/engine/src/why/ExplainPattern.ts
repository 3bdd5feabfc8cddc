/** What a pattern holds of a key: partial matches, what each waits for and until when, and records that wait for the watermark. */
import type { PlannedOperator, StagePlan } from "../plan/StagePlan.ts"
import { type Cause, spanText, timeText } from "./Cause.ts"
import type { KeyShard } from "./ExplainWindow.ts"

interface Taken {
  readonly step: string
  readonly time: string
  readonly offset: number
}

interface PatternEntry {
  readonly waiting: ReadonlyArray<{ readonly time: string; readonly offset: number }>
  readonly partial_matches: ReadonlyArray<ReadonlyArray<Taken>>
  readonly matches_that_wait: ReadonlyArray<ReadonlyArray<Taken>>
}

const partialsToldMax = 5

const takenText = (taken: ReadonlyArray<Taken>): string =>
  taken.map(({ offset, step, time }) => `${step} at ${timeText(Date.parse(time))} (offset ${offset})`).join(", ")

/** The steps that may take the next record, and those that would end the way. */
const nextText = (plan: StagePlan, operator: PlannedOperator, taken: ReadonlyArray<Taken>): string => {
  const { steps } = plan.patterns[operator.state]!
  const last = steps.findIndex(({ name }) => name === taken.at(-1)?.step)
  const names = (negative: boolean) =>
    steps.flatMap((step, at) => {
      const follows = negative ? at > last && step.negative : (steps[last]!.after & (1 << at)) !== 0
      if (!follows || step.negative !== negative) return []
      const { condition } = step
      // what was taken decides on the next record: the condition says how
      return [step.linked && condition._tag === "Expr" ? `${step.name} (${condition.expr.source})` : step.name]
    })
  const [waits, breaks] = [names(false), names(true)]
  const what = waits.length === 0 ? "the end of its time" : waits.join(" or ")
  return breaks.length === 0 ? what : `${what}, with no ${breaks.join(" or ")} in between,`
}

export const explainPattern = (
  plan: StagePlan,
  operator: PlannedOperator,
  shard: KeyShard,
  state: object | undefined
): ReadonlyArray<Cause> => {
  const { spec, steps } = plan.patterns[operator.state]!
  const { name } = operator
  const cause = (kind: Cause["kind"], text: string, offset: number | null = null): Cause => ({
    kind,
    stage: plan.name,
    partition: shard.partition,
    operator: name,
    offset,
    text
  })
  const within = spanText(spec.withinMs)
  if (state === undefined) {
    const first = steps.find(({ negative }) => !negative)!.name
    return [
      cause(
        "no_partial_match",
        `pattern ${name} has nothing open: no record of the key fits its first step ${first}, or ${within} are over`
      )
    ]
  }
  const { matches_that_wait, partial_matches, waiting } = state as PatternEntry // of readState, for patterns
  const until = (taken: ReadonlyArray<Taken>) => timeText(Date.parse(taken[0]!.time) + spec.withinMs)
  const now = shard.watermark === undefined ? "there is none yet" : `it is at ${timeText(shard.watermark)}`
  return [
    ...partial_matches
      .slice(0, partialsToldMax)
      .map((taken) =>
        cause(
          "partial_match",
          `pattern ${name} has taken ${takenText(taken)} and waits for ${nextText(plan, operator, taken)} before ${until(taken)}`,
          taken[0]!.offset
        )
      ),
    ...matches_that_wait
      .slice(0, partialsToldMax)
      .map((taken) =>
        cause(
          "partial_match",
          `pattern ${name} has a match of ${takenText(taken)} that waits until nothing can end it, at ${until(taken)} at the latest`,
          taken[0]!.offset
        )
      ),
    ...waiting
      .slice(0, partialsToldMax)
      .map(({ offset, time }) =>
        cause(
          "waits_for_watermark",
          `the record at offset ${offset} waits in pattern ${name} until the watermark passes ${timeText(Date.parse(time))}; ${now}: ${shard.held}`,
          offset
        )
      )
  ]
}
