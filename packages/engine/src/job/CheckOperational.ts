/**
 * What goes by the clock answers differently each time it runs: good enough for operations, never for a decision.
 *
 * Called by `CheckGraph`.
 */
import type { Node } from "../flow/Node.ts"
import { isClocked } from "../window/Window.ts"
import { above } from "./CheckState.ts"
import type { Graph, Operator } from "./Graph.ts"

const isOperational = (node: Node): boolean =>
  (node.op === "window" && isClocked(node.window)) || (node.op === "process" && node.spec.operational !== undefined)

export const checkOperational = (graph: Graph, operator: Operator, tell: (problem: string) => void): void => {
  if (operator.node.op !== "decide") return
  const clocked = above(graph, operator).find(({ node }) => isOperational(node))
  if (clocked === undefined) return
  tell(
    `${operator.name}: it would decide by ${clocked.name}, which goes by the clock and answers differently each time it runs; decide by event time`
  )
}
