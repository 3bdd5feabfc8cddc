/**
 * The topics that a job writes for itself, one for each `keyBy` that its graph is cut at: their names, fields and partitions.
 *
 * Called by `PlanJob` and by whoever lists a job's topics. Their records have the fields that come to the `keyBy`.
 */
import { structOf } from "@frazil/core"
import { Schema } from "effect"
import type { TopicRef } from "../flow/Node.ts"
import type { Graph, Operator } from "../job/Graph.ts"
import type { Shaped } from "./Shapes.ts"
import { keyedBelow, type Stages } from "./Stages.ts"

const suffix = ".repartition"
const partitionsDefault = 4

/** Whether a topic is one that a job writes for itself alone: named as Kafka Streams names them. */
export const isInternalTopic = (name: string): boolean => name.endsWith(suffix)

/** `keyBy(card)@payments` of job `fraud`: `fraud.keyBy-card-payments.repartition`. */
export const internalTopicName = (uid: string, operator: string): string =>
  `${uid}.${operator.replaceAll(/[^A-Za-z0-9._]+/g, "-").replaceAll(/^-|-$/g, "")}${suffix}`

const typed = (schema: Schema.Top): Schema.Codec<unknown, unknown> =>
  schema as unknown as Schema.Codec<unknown, unknown> // values are held untyped here

/** The schema of a nested field where a `keyBy` takes it: undefined when the operator that made it has none that JSON keeps. */
export const nestedSchema = (
  graph: Graph,
  operator: Operator,
  name: string
): Schema.Codec<unknown, unknown> | undefined => {
  const { node } = operator
  if (node.op === "source" || ((node.op === "map" || node.op === "flatMap") && node.schema !== undefined)) {
    const { ast } = node.op === "source" ? node.topic.schema : node.schema!
    const property = "propertySignatures" in ast ? ast.propertySignatures.find((each) => each.name === name) : undefined
    return property === undefined ? undefined : Schema.make<Schema.Codec<unknown, unknown>>(property.type)
  }
  if (node.op === "window") {
    const declaration = node.aggregates.find(([as]) => as === name)?.[1]
    return declaration?.kind === "collect"
      ? typed(Schema.Array(Schema.Union([Schema.String, Schema.Finite])))
      : undefined
  }
  if (node.op === "pattern" || node.op === "lookup") return undefined
  // no two sides of a join have a field of one name, but its key's
  for (const input of node.op === "merge" ? operator.inputs.slice(0, 1) : operator.inputs) {
    const schema = nestedSchema(graph, graph.operators[input]!, name)
    if (schema !== undefined) return schema
  }
  return undefined
}

/** What the `keyBy` says itself of its topic's partitions. */
export const partitionsSaid = ({ node }: Operator): number | undefined =>
  node.op === "keyBy" ? node.repartition?.partitions : undefined

const partitionsOf = (graph: Graph, cuts: ReadonlyArray<Operator>): number => {
  const [said] = cuts.flatMap((cut) => partitionsSaid(cut) ?? [])
  const [table] = cuts.flatMap((cut) =>
    keyedBelow(graph, cut).flatMap(({ node }) => (node.op === "joinTable" ? [node.table] : []))
  )
  return said ?? table?.partitions ?? partitionsDefault
}

interface TopicParts {
  readonly uid: string
  readonly graph: Graph
  readonly cut: Operator
  /** Those that share its topic, itself among them; the first one names it. */
  readonly together: ReadonlyArray<Operator>
  /** What its records are read from. */
  readonly sources: ReadonlyArray<TopicRef>
}

/** The internal topic of a cut, by its own fields; undefined when they are not known, which the checks refuse. */
const topicOf = ({ cut, graph, sources, together, uid }: TopicParts, { input }: Shaped): TopicRef | undefined => {
  if (input === undefined || cut.node.op !== "keyBy") return undefined
  const [first] = sources
  // what comes as it was read goes on as the bytes it came in
  const unchanged = first !== undefined && sources.every(({ shape }) => shape === input)
  const schema = unchanged
    ? first.schema
    : structOf(input.fields, (name) => nestedSchema(graph, graph.operators[cut.inputs[0]!]!, name))
  return {
    name: internalTopicName(uid, together[0]!.name),
    schema,
    shape: input,
    key: cut.node.fields,
    keyElse: undefined,
    eventTime:
      unchanged && sources.every(({ eventTime }) => eventTime === first.eventTime) ? first.eventTime : undefined,
    partitions: partitionsOf(graph, together)
  }
}

/** By the `keyBy` that each is of: those that share one have its name, and their own fields. */
export const internalTopics = (
  uid: string,
  graph: Graph,
  { cuts, portsOf, stages }: Stages,
  shapes: ReadonlyArray<Shaped>
): ReadonlyMap<number, TopicRef> => {
  const topics = new Map<number, TopicRef>()
  for (const cut of graph.operators) {
    const stage = cuts.has(cut.id) ? stages.find(({ ports }) => ports.includes(cut.id)) : undefined
    if (stage === undefined) continue
    const sources = portsOf[cut.id]!.flatMap((port) => {
      const { node } = graph.operators[port]!
      return node.op === "source" ? [node.topic] : (topics.get(port) ?? [])
    })
    const together = stage.ports.map((port) => graph.operators[port]!)
    const topic = topicOf({ uid, graph, cut, together, sources }, shapes[cut.id]!)
    if (topic !== undefined) topics.set(cut.id, topic)
  }
  return topics
}
