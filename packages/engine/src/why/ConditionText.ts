/** An operator's condition as it was declared, for a sentence. */
import type { Computed } from "../flow/Node.ts"
import type { PlannedOperator } from "../plan/StagePlan.ts"

const textOf = (computed: Computed | undefined): string =>
  computed?._tag === "Expr" ? computed.expr.source : "a function"

/** `: amount > 10000`; of a route, every branch's; nothing where there is no condition to show. */
export const conditionText = ({ node }: PlannedOperator): string => {
  if (node.op === "filter") return `: ${textOf(node.condition)}`
  if (node.op !== "route") return ""
  return `: ${node.branches.map(([name, of]) => `${name} if ${of === undefined ? "no other" : textOf(of)}`).join(", ")}`
}
