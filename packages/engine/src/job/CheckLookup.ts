/**
 * What a lookup is refused for when its job is declared: a policy that makes no sense, and places where it does not run yet.
 *
 * Called by `CheckGraph` beside `CheckState`.
 */
import { RecordShape } from "@frazil/core"
import type { NodeOf } from "../flow/Node.ts"
import { type AskPolicy, askPolicy, policyProblems } from "../lookup/LookupPolicy.ts"
import { above } from "./CheckState.ts"
import type { Graph, Operator } from "./Graph.ts"

type Tell = (problem: string) => void

export const checkLookup = (graph: Graph, operator: Operator, tell: Tell): void => {
  const { name, node } = operator
  if (node.op === "window" || node.op === "pattern" || node.op === "mapWithState") checkBehind(graph, operator, tell)
  if (node.op !== "lookup") return
  const window = above(graph, operator).find(
    (candidate) => candidate.node.op === "window" || candidate.node.op === "pattern"
  )
  if (window !== undefined) {
    tell(
      `${name}: a lookup over the results of ${window.name} does not run yet; write those to a topic and look up from there`
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
const checkBehind = (graph: Graph, operator: Operator, tell: Tell) => {
  for (const candidate of above(graph, operator)) {
    if (candidate.node.op !== "lookup") continue
    if (operator.node.op === "window" || operator.node.op === "pattern") {
      const then = operator.node.op === "window" ? "window that" : "look for the pattern there"
      tell(
        `${operator.name}: a ${operator.node.op} behind the lookup ${candidate.name} does not run yet; write the answers to a topic and ${then}`
      )
    } else if (candidate.node.policy.order === "unordered") {
      tell(
        `${operator.name}: its state depends on the order of records, which ${candidate.name} does not keep; make that lookup ordered`
      )
    }
  }
}
