/**
 * From a job's graph to the stages that run it: pure, no I/O.
 *
 * A stage is everything that hangs on one topic, a source or an internal one (`Stages.ts`); neighbouring synchronous operators
 * run in one loop per batch.
 */
import type { Graph, Operator } from "../job/Graph.ts"
import type { NodeOf, TopicRef } from "../flow/Node.ts"
import { internalTopics } from "./InternalTopics.ts"
import { type Shaped, shapesOf } from "./Shapes.ts"
import { type GraphStage, inputsOf, type Stages, stagesOf } from "./Stages.ts"
import { isKeyedNode, type KeyedPlan, planKeyed } from "../keyed/KeyedPlan.ts"
import { askPolicy } from "../lookup/LookupPolicy.ts"
import type { Origins } from "../repartition/Place.ts"
import type {
  PlannedLookup,
  PlannedOperator,
  PlannedPort,
  PlannedRepartition,
  PlannedState,
  PlannedTable,
  PlannedTotal,
  StagePlan
} from "./StagePlan.ts"
import { tableStateName } from "../state/TableState.ts"
import { type JoinPlan, planJoin } from "../join/JoinPlan.ts"
import { type PatternPlan, planPattern } from "../pattern/PatternPlan.ts"
import { planWindow, type WindowPlan } from "../window/WindowPlan.ts"

/** How far out of order a topic's records may come unless `Flow.eventTime` says otherwise, and when a partition is idle. */
const outOfOrdernessMsDefault = 5000
const idleAfterMsDefault = 60_000
/** How far a record may be ahead of the rest of its partition, likewise. */
const leadMsDefault = 3_600_000

export const planJob = (job: { readonly name: string; readonly graph: Graph }): ReadonlyArray<StagePlan> => {
  const { graph } = job
  const shapes = shapesOf(graph, (problem) => {
    throw new Error(`a job that was made has no problems, yet: ${problem}`)
  })
  const stages = stagesOf(graph)
  const topics = internalTopics(job.name, graph, stages, shapes)
  const origins = graph.operators.flatMap(({ node }) => (node.op === "source" ? [node.topic] : []))
  const planned = new Map<number, StagePlan>()
  const planOf = (root: number): StagePlan => {
    const known = planned.get(root)
    if (known !== undefined) return known
    const stage = stages.stages.find((each) => each.root === root)! // every root has one
    const writers = stages.cuts.has(root) ? inputsOf(stages, stage).map(([writer]) => planOf(writer)) : undefined
    const plan = planStage({ uid: job.name, graph, stage, stages, topics, shapes, origins, writers })
    planned.set(root, plan)
    return plan
  }
  return stages.stages.map(({ root }) => planOf(root))
}

interface StageParts {
  readonly uid: string
  readonly graph: Graph
  readonly stage: GraphStage
  readonly stages: Stages
  readonly topics: ReadonlyMap<number, TopicRef>
  readonly shapes: ReturnType<typeof shapesOf>
  readonly origins: Origins
  /** The stages that write the internal topic that this one reads. */
  readonly writers: ReadonlyArray<StagePlan> | undefined
}

/** What is known of the stage's time: its own field's, or what its writers stamp. */
const timeOf = (source: TopicRef, members: ReadonlyArray<Operator>, writers: ReadonlyArray<StagePlan> | undefined) => {
  if (writers !== undefined) {
    const timed = writers.every(({ eventTimeField }) => eventTimeField !== undefined)
    return {
      eventTimeField: timed ? writers[0]!.eventTimeField : undefined,
      outOfOrdernessMs: 0,
      // its writers say when they are idle, and they have looked after leads
      idleAfterMs: Number.POSITIVE_INFINITY,
      leadMs: Number.POSITIVE_INFINITY
    }
  }
  const time = members.find((member) => member.node.op === "eventTime")?.node
  return {
    eventTimeField: time?.op === "eventTime" ? time.field : source.eventTime,
    outOfOrdernessMs: time?.op === "eventTime" ? time.outOfOrdernessMs : outOfOrdernessMsDefault,
    idleAfterMs: time?.op === "eventTime" ? time.idleAfterMs : idleAfterMsDefault,
    leadMs: time?.op === "eventTime" ? time.leadMs : leadMsDefault
  }
}

const planStage = (parts: StageParts): StagePlan => {
  const { graph, origins, shapes, stage, stages, topics, uid, writers } = parts
  const ports = stage.ports.map((port, operator): PlannedPort => {
    const { node } = graph.operators[port]!
    // a job that was made knows its fields
    return { source: node.op === "source" ? node.topic : topics.get(port)!, operator }
  })
  const { source } = ports[0]! // a stage reads a topic
  const members = stage.members.map((id) => graph.operators[id]!)
  const idOf = new Map(members.map((member, id) => [member.id, id]))
  const outputs: Array<TopicRef> = []
  const states: Array<PlannedState> = []
  const windows: Array<WindowPlan> = []
  const patterns: Array<PatternPlan> = []
  const repartitions: Array<PlannedRepartition> = []
  const keyed: Array<KeyedPlan> = []
  const joins: Array<JoinPlan> = []
  const totals: Array<PlannedTotal> = []
  const lookups = members.flatMap(({ node }, operator) => (node.op === "lookup" ? [operator] : []))
  const tables = planTables(members)
  const outputOf = (topic: TopicRef) => {
    const known = outputs.findIndex((output) => output.name === topic.name)
    return known >= 0 ? known : outputs.push(topic) - 1
  }
  const stateOf = ({ inputs, name, node }: Operator, { computed, input, key }: Shaped): number => {
    if (node.op === "join") {
      const [one, other] = inputs.map((of) => shapes[of]!.output)
      return joins.push(planJoin(name, node, one, other, source.shape, computed)) - 1
    }
    if (isKeyedNode(node)) return keyed.push(planKeyed(name, node, key, source.shape)) - 1
    if (node.op === "mapWithState") return states.push({ name, declaration: node.state }) - 1
    if (node.op === "lookup") return lookups.findIndex((operator) => members[operator]!.node === node)
    if (node.op === "joinTable") return tables.findIndex(({ topic }) => topic.name === node.table.name)
    if (node.op === "validate" && node.total !== undefined) {
      const field = node.total.sum === undefined ? undefined : input?.byName.get(node.total.sum)
      return totals.push({ name, field }) - 1
    }
    if (node.op === "pattern") return patterns.push(planPattern(name, node, input ?? source.shape, computed)) - 1
    if (node.op !== "window") return -1
    // without a shape only records are counted, and the key is the topic's
    return windows.push(planWindow(name, node, input ?? source.shape)) - 1
  }
  const operators = members.map((member): PlannedOperator => {
    const { consumers, id, name, node } = member
    const shaped = shapes[id]!
    const planned = { id: idOf.get(id)!, name, shape: shaped.input, computed: shaped.computed, key: shaped.key }
    if (!stage.ports.includes(id) && stages.cuts.has(id)) {
      const topic = topics.get(id)!
      const input = inputOf(stages, stage.root, id)
      const output = repartitions.push({ name, topic, input, heldMs: stage.heldMs.get(id)! }) - 1
      return { ...planned, node: repartitionNode(node, topic), consumers: [], output, state: -1 }
    }
    return {
      ...planned,
      node,
      consumers: consumers.map((consumer) => idOf.get(consumer)!),
      output: node.op === "to" || node.op === "orDeadLetter" ? outputOf(node.topic) : -1,
      state: stateOf(member, shaped)
    }
  })
  return {
    uid,
    name: source.name,
    source,
    ports,
    operators,
    ...timeOf(source, members, writers),
    outputs,
    states,
    windows,
    patterns,
    keyed,
    clocked: windows.some(({ clocked }) => clocked) || keyed.some((each) => each.kind === "function" && each.clocked),
    joins,
    lookups: lookups.map((operator) => planLookup(operators, ports, lookups, operator)),
    tables,
    repartitions,
    totals,
    writers: writers?.map(({ source: { name } }) => name),
    portOfInput: writers === undefined ? [] : inputsOf(stages, stage).map(([, port]) => port),
    origins
  }
}

/** Which of the inputs of the stage that reads it the stage with that root writes the cut by. */
const inputOf = (stages: Stages, root: number, cut: number): number => {
  const reader = stages.stages.find(({ ports }) => ports.includes(cut))! // a cut is a port of one
  return inputsOf(stages, reader).findIndex(([writer, port]) => writer === root && reader.ports[port] === cut)
}

const repartitionNode = (node: Operator["node"], topic: TopicRef): NodeOf<"repartition"> => ({
  op: "repartition",
  name: node.name,
  inputs: node.inputs,
  topic,
  fields: topic.key
})

const planTables = (members: ReadonlyArray<Operator>): ReadonlyArray<PlannedTable> => {
  const tables = new Map<string, PlannedTable>()
  for (const { node } of members) {
    if (node.op !== "joinTable") continue
    const { store, table, take } = node
    const fields = new Set([...(tables.get(table.name)?.fields ?? []), ...take])
    tables.set(table.name, {
      topic: table,
      name: tableStateName(table.name),
      fields: [...fields].toSorted(),
      // a job that was made says the same in all of them
      ...(store === undefined ? {} : { store })
    })
  }
  return [...tables.values()]
}

/** Operators that are reached from `from` on, not through another lookup when `direct`. */
const reached = (operators: ReadonlyArray<PlannedOperator>, from: number, direct: boolean): ReadonlySet<number> => {
  const seen = new Set<number>()
  const visit = (id: number) => {
    for (const consumer of operators[id]!.consumers) {
      if (seen.has(consumer)) continue
      seen.add(consumer)
      if (!direct || operators[consumer]!.node.op !== "lookup") visit(consumer)
    }
  }
  visit(from)
  return seen
}

const planLookup = (
  operators: ReadonlyArray<PlannedOperator>,
  ports: ReadonlyArray<PlannedPort>,
  lookups: ReadonlyArray<number>,
  operator: number
): PlannedLookup => {
  const { name, node } = operators[operator]!
  if (node.op !== "lookup") throw new Error(`${name} is no lookup`)
  const below = reached(operators, operator, false)
  return {
    name,
    operator,
    service: node.service,
    keyOf: node.keyOf,
    policy: askPolicy(node.policy),
    below: lookups.flatMap((other, index) => (below.has(other) ? [index] : [])),
    first: ports.some((port) => reached(operators, port.operator, true).has(operator))
  }
}
