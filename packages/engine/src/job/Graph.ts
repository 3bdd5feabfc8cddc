/**
 * A job's nodes, walked once from its outputs: topological order, names, consumers.
 *
 * `Job.make` builds it; plan, lineage and checks read it and nothing else.
 */
import type { Node } from "../flow/Node.ts"
import { type JoinSpec, left } from "../join/Join.ts"

/** A node with its place in the job. */
export interface Operator {
  /** Index in `Graph.operators`. */
  readonly id: number
  /** Given, or derived: `filter@raw-transactions`, the second `filter@raw-transactions#2`. */
  readonly name: string
  readonly node: Node
  readonly inputs: ReadonlyArray<number>
  readonly consumers: ReadonlyArray<number>
  /** Names of the topics its records come from. */
  readonly sources: ReadonlyArray<string>
}

export interface Graph {
  /** Inputs come before consumers. */
  readonly operators: ReadonlyArray<Operator>
}

const joinNames: Readonly<Record<JoinSpec["_tag"], string>> = {
  Interval: "joinInterval",
  AsOf: "joinAsOf",
  Latest: "joinLatest"
}

const label = (node: Node): string => {
  switch (node.op) {
    case "source":
      return node.topic.name
    case "to":
      return `to(${node.topic.name})`
    case "orDeadLetter":
      return `orDeadLetter(${node.topic.name})`
    case "keyBy":
      return `keyBy(${node.fields.join(",")})`
    case "window":
      return `window(${node.key.join(",")})`
    case "pattern":
      return `pattern(${node.key.join(",")})`
    case "lookup":
      return `lookup(${node.service.key})`
    case "joinTable":
      return `joinTable(${node.table.name})`
    case "joinSide":
      return `${node.side === left ? "left" : "right"} of ${joinNames[node.of]}`
    case "join":
      return `${joinNames[node.join._tag]}(${node.key.join(",")})`
    case "branch":
      return `branch(${node.branch})`
    default:
      return node.op
  }
}

/** Depth first from the outputs; each node once, by reference. */
const inOrder = (outputs: ReadonlyArray<Node>): ReadonlyArray<Node> => {
  const seen = new Set<Node>()
  const order: Array<Node> = []
  const visit = (node: Node) => {
    if (seen.has(node)) return
    seen.add(node)
    for (const input of node.inputs) visit(input)
    order.push(node)
  }
  for (const output of outputs) visit(output)
  return order
}

/** A number would swap the states of two when lines move: two of one name are refused. */
const numberless: ReadonlySet<Node["op"]> = new Set([
  "window",
  "pattern",
  "join",
  "lookup",
  "deduplicate",
  "topN",
  "process"
])

export const makeGraph = (outputs: ReadonlyArray<Node>): Graph => {
  const order = inOrder(outputs)
  const idOf = new Map(order.map((node, id) => [node, id]))
  const inputs = order.map((node) => node.inputs.map((input) => idOf.get(input)!)) // inOrder listed every input
  const consumers: Array<Array<number>> = order.map(() => [])
  inputs.forEach((of, id) => of.forEach((input) => consumers[input]!.push(id)))
  const sources: Array<ReadonlyArray<string>> = []
  const used = new Map<string, number>()
  const operators = order.map((node, id): Operator => {
    sources.push(
      node.op === "source" ? [node.topic.name] : [...new Set(inputs[id]!.flatMap((input) => sources[input]!))].sort()
    )
    const derived = node.op === "source" ? label(node) : `${label(node)}@${sources[id]!.join("+")}`
    const count = (used.get(derived) ?? 0) + 1
    used.set(derived, count)
    const name = node.name ?? (count === 1 || numberless.has(node.op) ? derived : `${derived}#${count}`)
    return { id, name, node, inputs: inputs[id]!, consumers: consumers[id]!, sources: sources[id]! }
  })
  return { operators }
}
