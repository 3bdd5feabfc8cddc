/**
 * What a job with keyed state is refused for: a state must be bounded by time, and all records of a key must meet in it.
 *
 * Called by `CheckGraph`. What only shows when it runs (code that changed a record's key) `run/StateKey.ts` looks after.
 */
import type { Graph, Operator } from "./Graph.ts"

/** The operators from the source down to this one, without it. */
export const above = (graph: Graph, operator: Operator): ReadonlyArray<Operator> =>
  operator.inputs.flatMap((input) => [...above(graph, graph.operators[input]!), graph.operators[input]!])

/** The fields that an operator writes by name. */
export const written = ({ node }: Operator): ReadonlyArray<string> => {
  if (node.op === "extend") return node.fields.map(([name]) => name)
  if (node.op === "lookup") return node.as === undefined ? [] : [node.as]
  return node.op === "stamp" ? [node.field] : []
}

export const checkState = (graph: Graph, operator: Operator, tell: (problem: string) => void): void => {
  const { name, node } = operator
  if (node.op !== "mapWithState" && node.op !== "window" && node.op !== "pattern") return
  const upstream = above(graph, operator)
  const [source] = upstream
  // a flow starts with Flow.from
  const topic = source!.node.op === "source" ? source!.node.topic : undefined
  if (topic === undefined) return
  if (topic.eventTime === undefined && !upstream.some((candidate) => candidate.node.op === "eventTime")) {
    const reason = {
      window: "its windows are of event time",
      pattern: "its records are put in the order of event time",
      mapWithState: "its state is forgotten by event time"
    }[node.op]
    tell(`${name}: ${reason}, but ${topic.name} has none; name the field with Flow.eventTime`)
  }
  const inner = upstream.find((candidate) => candidate.node.op === "window" || candidate.node.op === "pattern")
  if (node.op !== "mapWithState" && inner !== undefined) {
    const then = node.op === "window" ? "window that" : "look for the pattern there"
    tell(`${name}: a ${node.op} over the results of ${inner.name} does not run yet; write those to a topic and ${then}`)
  }
  if (node.op === "mapWithState" && node.state.ttlMs <= 0)
    tell(`${name}: its ttl is nothing, so it would remember nothing: write how long it may`)
  const keys = upstream.findLast((candidate) => candidate.node.op === "keyBy")
  if (keys?.node.op !== "keyBy") {
    tell(`${name}: its state needs a key; call Flow.keyBy before it`)
    return
  }
  const { fields } = keys.node
  if (fields.join() !== topic.key.join()) {
    tell(
      `${name}: keyed by ${fields.join(", ")}, but ${topic.name} is partitioned by ${topic.key.join(", ") || "nothing"}, so one key's records would meet in no one place; write them to a topic with that key first`
    )
  }
  for (const candidate of upstream) {
    const replaced = written(candidate).find((field) => fields.includes(field))
    if (replaced !== undefined) {
      tell(`${candidate.name}: replaces ${replaced}, which ${name} is keyed by; write the new value to another field`)
    }
  }
}
