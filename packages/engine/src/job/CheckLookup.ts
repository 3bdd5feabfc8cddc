/**
 * What a lookup is refused for when its job is declared: a policy that makes no sense, and places where it does not run yet.
 *
 * Called by `CheckGraph` beside `CheckState`.
 */
import { RecordShape } from "@frazil/core"
import type { NodeOf } from "../flow/Node.ts"
import { type AskPolicy, askPolicy, policyProblems } from "../lookup/LookupPolicy.ts"
import { aboveInStage, type Stages } from "../plan/Stages.ts"
import { above, keepsRecords } from "./CheckState.ts"
import type { Graph, Operator } from "./Graph.ts"

type Tell = (problem: string) => void

export const checkLookup = (graph: Graph, stages: Stages, operator: Operator, tell: Tell): void => {
  const { name, node } = operator
  if (keepsRecords(node) || node.op === "mapWithState") checkBehind(graph, stages, operator, tell)
  if (node.op !== "lookup") return
  const window = aboveInStage(graph, stages.cuts, operator).find((candidate) => keepsRecords(candidate.node))
  if (window !== undefined) {
    tell(
      `${name}: a lookup over the results of ${window.name} does not run yet; call Flow.keyBy with { repartition: true } between the two`
    )
  }
  checkPolicy(name, node, tell)
  try {
    RecordShape.of(node.service.declaration.answer)
  } catch (error) {
    tell(`${name}: the answer of ${node.service.key}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const checkPolicy = (name: string, { policy, service }: NodeOf<"lookup">, tell: Tell) => {
  let ask: AskPolicy
  try {
    ask = askPolicy(policy)
  } catch (error) {
    // a duration from a cast or from plain JavaScript
    tell(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    return
  }
  for (const problem of policyProblems(ask)) tell(`${name}: its policy's ${problem}`)
  for (const [tag, kind] of Object.entries(service.declaration.failures)) {
    if (kind === "absent" || kind === "final" || kind === "transient" || kind === "overloaded") continue
    if (typeof kind !== "function")
      tell(`${name}: ${service.key} says of ${tag} that it is ${String(kind)}, which is no kind of failure`)
  }
}

/** Time passes a lookup only by its records, and an unordered one changes their order (protocol, rules 11 and 20). */
const checkBehind = (graph: Graph, { cuts }: Stages, operator: Operator, tell: Tell) => {
  for (const candidate of aboveInStage(graph, cuts, operator)) {
    if (candidate.node.op !== "lookup" || operator.node.op === "mapWithState") continue
    tell(
      `${operator.name}: a ${operator.node.op} needs the time of the answers of ${candidate.name} in order; call Flow.keyBy between the two`
    )
  }
  for (const { name, node } of above(graph, operator)) {
    if (node.op === "lookup" && node.policy.order === "unordered") {
      tell(
        `${operator.name}: its state depends on the order of records, which ${name} does not keep; make that lookup ordered`
      )
    }
  }
}
