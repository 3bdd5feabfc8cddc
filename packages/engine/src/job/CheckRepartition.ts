/**
 * What a `keyBy` that goes through an internal topic is refused for, and what a merge is.
 *
 * Called by `CheckGraph`. The records must be known by their fields, since they are written and read again; what is behind
 * it must not count twice what a window tells twice.
 */
import { isInternalTopic, internalTopicName, nestedSchema, partitionsSaid } from "../plan/InternalTopics.ts"
import { sameFields } from "../plan/SameFields.ts"
import type { Shaped } from "../plan/Shapes.ts"
import { aboveInStage, type Stages } from "../plan/Stages.ts"
import { sourcePartitionsMax } from "../repartition/Place.ts"
import { above } from "./CheckState.ts"
import type { Graph, Operator } from "./Graph.ts"

type Tell = (problem: string) => void

const partitionsMax = 1_024
/** What is left of a topic's name for the operator's beside the longest name of a job. */
const nameMax = 249

const keyed = new Set(["Text", "Int", "Boolean"])

export const checkRepartition = (
  graph: Graph,
  stages: Stages,
  operator: Operator,
  shapes: ReadonlyArray<Shaped>,
  tell: Tell
): void => {
  const { name, node } = operator
  if (node.op === "merge") checkMerge(operator, shapes, tell)
  if (node.op !== "keyBy") return
  const partitions = node.repartition?.partitions
  if (partitions !== undefined && !(Number.isInteger(partitions) && partitions >= 1 && partitions <= partitionsMax))
    tell(`${name}: its topic must have 1 to ${partitionsMax} partitions, found ${partitions}`)
  if (!stages.cuts.has(operator.id)) return
  const stage = stages.stages.find(({ root }) => root === operator.id)
  // others share the topic of the first one
  if (stage !== undefined) {
    checkName(graph, stages, operator, tell)
    checkPartitions(graph, stage.ports, tell)
  }
  checkFields(graph, stages, operator, shapes[operator.id]!, tell)
  checkAbove(graph, stages, operator, tell)
}

const checkMerge = ({ inputs, name }: Operator, shapes: ReadonlyArray<Shaped>, tell: Tell) => {
  const [left, right] = inputs.map((input) => shapes[input]!.output)
  if (left !== undefined && right !== undefined && !sameFields(left, right))
    tell(`${name}: its sides have other fields; give both the same with Flow.map and a schema`)
}

const checkName = (graph: Graph, { stages }: Stages, operator: Operator, tell: Tell) => {
  const { name, node } = operator
  // a number would swap what is on its way when lines move
  if (node.name === undefined && name.includes("#")) {
    tell(
      `${name}: its records go through a topic, whose name must stay when lines move; give it one with { name: "…" }, or use the flow of the other keyBy`
    )
  }
  const topic = internalTopicName("", name)
  if (topic.length + 64 > nameMax) tell(`${name}: its topic's name would be too long; give it a shorter name`)
  const [other] = stages.flatMap(({ root }) => {
    const { id, name: second, node: first } = graph.operators[root]!
    return id < operator.id && first.op === "keyBy" && internalTopicName("", second) === topic ? [{ name: second }] : []
  })
  if (other !== undefined) tell(`${name}: its topic would be named as that of ${other.name}; give it another name`)
}

/** `keyBy`s that share a topic say the same of it. */
const checkPartitions = (graph: Graph, together: ReadonlyArray<number>, tell: Tell) => {
  const said = together.flatMap((port) => partitionsSaid(graph.operators[port]!) ?? [])
  if (new Set(said).size < 2) return
  const names = together.map((port) => graph.operators[port]!.name)
  tell(
    `${names.join(" and ")} share a topic, but want ${[...new Set(said)].join(" and ")} partitions; write one number`
  )
}

const checkFields = (graph: Graph, { cuts }: Stages, operator: Operator, { input }: Shaped, tell: Tell) => {
  const { name, node } = operator
  if (node.op !== "keyBy") return
  const why = `${name}: its records go through a topic`
  if (input === undefined) {
    tell(`${why}, but code made them, so that nobody knows their fields; give Flow.map a schema before it`)
    return
  }
  for (const field of node.fields) {
    const type = input.byName.get(field)?.type._tag
    if (type === undefined || !keyed.has(type))
      tell(
        `${name}: ${field} is ${type === undefined ? "no field of its records" : `a ${type} field`}, so it is no key`
      )
  }
  const before = graph.operators[operator.inputs[0]!]!
  for (const { name: field, type } of input.fields) {
    if (type._tag === "Json" && nestedSchema(graph, before, field) === undefined) {
      tell(
        `${why}, but nobody knows what ${field} holds; name what is needed of it with Flow.map and a schema before it`
      )
    }
  }
  for (const each of aboveInStage(graph, cuts, operator)) {
    if (each.node.op !== "extend") continue
    for (const [field, value] of each.node.fields) {
      if (value._tag === "Code" && !input.byName.has(field))
        tell(
          `${why}, but ${each.name} makes ${field} by code; write an expression, or give Flow.map a schema before it`
        )
    }
  }
}

const checkAbove = (graph: Graph, stages: Stages, operator: Operator, tell: Tell) => {
  for (const { name, node } of aboveInStage(graph, stages.cuts, operator)) {
    if (node.op === "join" && node.join._tag === "Latest")
      tell(
        `${operator.name}: the results of the join ${name} take each other's place, which is lost under another key; write them to a topic`
      )
    if (node.op === "window" && node.window._tag !== "Session" && node.window.earlyMs !== undefined) {
      tell(
        `${operator.name}: ${name} gives early results, which would be taken for results; leave out "early", or write them to a topic`
      )
    }
  }
  for (const { name, node } of above(graph, operator)) {
    if (node.op === "lookup" && node.policy.order === "unordered")
      tell(
        `${operator.name}: time travels in the order of records, which ${name} does not keep; make that lookup ordered`
      )
  }
}

/** Offsets tell a record where its partition is known: behind a repartition a window has records of many. */
export const checkOffsets = ({ cuts, rootsOf }: Stages, { id, name, node }: Operator, tell: Tell): void => {
  if (node.op !== "window" || !rootsOf[id]!.some((root) => cuts.has(root))) return
  for (const [as, { kind }] of node.aggregates) {
    if (kind === "offsets")
      tell(`${name}: "${as}" would be offsets of several partitions; collect an id of the records instead`)
  }
}

/** Once for a job. */
export const checkInternal = (graph: Graph, { cuts }: Stages, tell: Tell): void => {
  for (const { name, node } of graph.operators) {
    const topic = "topic" in node ? node.topic : node.op === "joinTable" ? node.table : undefined
    if (topic !== undefined && isInternalTopic(topic.name))
      tell(`${name}: ${topic.name} is named as jobs name topics of their own; name it otherwise`)
  }
  const partitions = graph.operators.reduce(
    (sum, { node }) => (node.op === "source" ? sum + node.topic.partitions : sum),
    0
  )
  if (cuts.size > 0 && partitions > sourcePartitionsMax)
    tell(`its sources have ${partitions} partitions together, at most ${sourcePartitionsMax} where keys are changed`)
}
