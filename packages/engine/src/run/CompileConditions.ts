/**
 * Conditions that every row is asked, computed once: a route, or a filter behind others, may ask them again as part of its own.
 *
 * Part of `CompileStage`, which finds them by their code.
 */
import type { PlannedOperator, StagePlan } from "../plan/StagePlan.ts"

/** What hands on each record as it comes. */
const handsOn = new Set(["eventTime", "keyBy"])

/** The filters by expressions that all records of the operator come to. */
const filtersOf = ({ operators }: Pick<StagePlan, "operators">, operator: number): ReadonlyArray<PlannedOperator> =>
  operators[operator]!.consumers.flatMap((id) => {
    const consumer = operators[id]!
    if (handsOn.has(consumer.node.op)) return filtersOf({ operators }, id)
    return consumer.node.op === "filter" && consumer.computed[0]?._tag === "Expr" ? [consumer] : []
  })

/** Variables of such conditions by their code, and the code that declares them. */
export const sharedConditions = (
  plan: StagePlan,
  operator: number,
  conditionOf: (filter: PlannedOperator) => string
): { readonly known: ReadonlyMap<string, string>; readonly code: string } => {
  const known = new Map<string, string>()
  const declared: Array<string> = []
  for (const filter of filtersOf(plan, operator)) {
    const code = conditionOf(filter)
    if (known.has(code)) continue
    const name = `held${filter.id}`
    known.set(code, name)
    declared.push(`const ${name} = ${code};`)
  }
  return { known, code: declared.join("\n") }
}
