/**
 * What a job with keyed state is refused for: a state must be bounded by time, and all records of a key must meet in it.
 *
 * Called by `CheckGraph`. What only shows when it runs (code that changed a record's key) `run/StateKey.ts` looks after.
 */
import { keyAbove } from "../plan/Ports.ts"
import { aboveInStage, type Stages, written } from "../plan/Stages.ts"
import type { DiskStore, Node, NodeOf } from "../flow/Node.ts"
import { isKeyedNode, type KeyedNode } from "../keyed/KeyedPlan.ts"
import { isClocked } from "../window/Window.ts"
import type { Graph, Operator } from "./Graph.ts"

/** The operators from the source down to this one, without it. */
export const above = (graph: Graph, operator: Operator): ReadonlyArray<Operator> =>
  operator.inputs.flatMap((input) => [...above(graph, graph.operators[input]!), graph.operators[input]!])

type Keeping = NodeOf<"window"> | NodeOf<"pattern"> | NodeOf<"join"> | KeyedNode

/** Whether what an operator gives comes of many records, at a time of its own. */
export const keepsRecords = (node: Node): node is Keeping =>
  node.op === "window" || node.op === "pattern" || node.op === "join" || isKeyedNode(node)

export const checkState = (graph: Graph, stages: Stages, operator: Operator, tell: (problem: string) => void): void => {
  const { node } = operator
  if (node.op !== "mapWithState" && node.op !== "joinSide" && (node.op === "join" || !keepsRecords(node))) return
  // a side is its join's
  const { name } = node.op === "joinSide" ? graph.operators[operator.consumers[0]!]! : operator
  checkTime(graph, operator, name, tell)
  const upstream = aboveInStage(graph, stages.cuts, operator)
  const inner = upstream.find((candidate) => keepsRecords(candidate.node))
  if (node.op !== "mapWithState" && inner !== undefined)
    tell(`${name}: the results of ${inner.name} come by their own time; call Flow.keyBy between the two`)
  if (node.op === "mapWithState" && node.state.ttlMs <= 0)
    tell(`${name}: its ttl is nothing, so it would remember nothing: write how long it may`)
  checkStore(name, storeOf(node), tell)
  const keys = keyAbove(graph, operator)
  if (keys?.node.op !== "keyBy") {
    tell(`${name}: its state needs a key; call Flow.keyBy before it`)
    return
  }
  const { fields } = keys.node
  for (const candidate of upstream) {
    const replaced = written(candidate).find((field) => fields.includes(field))
    if (replaced !== undefined) {
      tell(
        `${candidate.name}: replaces ${replaced}, which ${name} is keyed by; call Flow.keyBy behind it, or write the new value to another field`
      )
    }
  }
}

export const checkStore = (name: string, store: DiskStore | undefined, tell: (problem: string) => void): void => {
  if (store !== undefined && !(store.cacheBytesMax >= 0)) tell(`${name}: its cacheBytesMax is no number of bytes`)
}

const storeOf = (node: Node) => {
  if (node.op === "mapWithState") return node.state.store
  return node.op === "window" || node.op === "pattern" || isKeyedNode(node) ? node.store : undefined
}

const reasons = {
  window: "its windows are of event time",
  pattern: "its records are put in the order of event time",
  joinSide: "its records meet by event time",
  deduplicate: "first and last are told by event time",
  topN: "its rankings are forgotten by event time",
  process: "its state is forgotten by event time",
  mapWithState: "its state is forgotten by event time"
}

const checkTime = (graph: Graph, { node, sources }: Operator, name: string, tell: (problem: string) => void) => {
  if (node.op === "window" && isClocked(node.window)) return
  for (const { node: source } of graph.operators) {
    if (source.op !== "source" || !sources.includes(source.topic.name) || source.topic.eventTime !== undefined) continue
    const named = graph.operators.some((each) => each.node.op === "eventTime" && each.sources[0] === source.topic.name)
    if (named) continue
    const reason = node.op in reasons ? reasons[node.op as keyof typeof reasons] : reasons.mapWithState // it is one of them
    tell(`${name}: ${reason}, but ${source.topic.name} has none; name the field with Flow.eventTime`)
  }
}
